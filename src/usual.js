export default `id:id session_id sessionId uuid $id _id objectId
createdAt:created_at createdAt created started started_at $createdAt
lastActiveAt:last_activity_at last_active_at last_activity lastActivity lastActiveAt last_seen last_seen_at lastSeen lastAccess last_used_at updatedAt updated_at
expiresAt:expires_at expiresAt expires expire
userAgent:user_agent_raw user_agent userAgent /device_info/user_agent /devices/0/user_agent
browser:browser browser_name browserName /browser/name /device/browser /device_info/browser
os:os os_name osName /os/name /device/os /device_info/os
deviceType:device_type deviceType /device_info/device_type deviceName
isMobile:is_mobile isMobile mobile /device_info/is_mobile
ipAddress:ip_address ipAddress ip last_ip_address last_ip /device_info/ip_address /devices/0/ip_address /device_info/ip /devices/0/ip
current:is_current isCurrent current
status:status state
revoked:revoked_at revokedAt
userId:user_id userId
tenant:tenant
city:city /location/city
country:country /location/country
items: sessions items data results /data/sessions /data/items
currentId:current_session_id currentSessionId /data/current_session_id
next:next_cursor nextCursor cursor /data/next_cursor /data/nextCursor
total:active_count activeCount /data/active_count total_count totalCount total /data/total_count /data/total
count:count revoked_count revokedCount /data/count /data/revoked_count /data/revokedCount`;
