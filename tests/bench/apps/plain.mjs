// What one would write by hand instead of using a package, for one back-end each: no retries, no deadlines, no checks, no labels for devices.
const client = (baseUrl, headers, { list, revoke, read }) => {
  const ask = async (method, path, body) => {
    const json = body && { headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
    const response = await fetch(baseUrl + path, { method, headers, ...json });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.status === 204 ? null : response.json();
  };
  return { list: async (page) => read(await ask("GET", list(page))), revoke: (session) => ask(...revoke(session)) };
};

const iso = (ms) => new Date(ms).toISOString();

export const betterAuth = ({ baseUrl, token }) =>
  client(baseUrl, { authorization: `Bearer ${token}` }, {
    list: () => "/api/auth/list-sessions",
    revoke: ({ token }) => ["POST", "/api/auth/revoke-session", { token }],
    read: (sessions) => sessions.map(({ id, token, createdAt, updatedAt, expiresAt, userAgent, ipAddress, userId }) => ({ id, token, createdAt, lastActiveAt: updatedAt, expiresAt, userAgent, ipAddress, userId })),
  });

export const clerk = ({ baseUrl, token, scope: { userId } }) =>
  client(baseUrl, { authorization: `Bearer ${token}` }, {
    list: (page = {}) => `/sessions?${new URLSearchParams({ paginated: "true", user_id: userId, ...page })}`,
    revoke: ({ id }) => ["POST", `/sessions/${encodeURIComponent(id)}/revoke`],
    read: ({ data }) => data.map(({ id, status, created_at, last_active_at, expire_at, user_id, latest_activity: activity }) => ({
      id, status, createdAt: iso(created_at), lastActiveAt: iso(last_active_at), expiresAt: iso(expire_at), userId: user_id, ipAddress: activity?.ip_address, city: activity?.city, country: activity?.country,
    })),
  });

export const ory = ({ baseUrl, token }) =>
  client(baseUrl, { "x-session-token": token }, {
    list: () => "/sessions",
    revoke: ({ id }) => ["DELETE", `/sessions/${encodeURIComponent(id)}`],
    read: (sessions) => sessions.map(({ id, issued_at, expires_at, devices }) => ({ id, createdAt: issued_at, expiresAt: expires_at, userAgent: devices[0]?.user_agent, ipAddress: devices[0]?.ip_address })),
  });

export const appwrite = ({ baseUrl, token }) =>
  client(baseUrl, { "x-appwrite-project": "bench", "x-appwrite-jwt": token }, {
    list: () => "/account/sessions",
    revoke: ({ id }) => ["DELETE", `/account/sessions/${encodeURIComponent(id)}`],
    read: ({ sessions }) => sessions.map(({ $id, $createdAt, expire, ip, countryCode, current, userId }) => ({ id: $id, createdAt: $createdAt, expiresAt: expire, ipAddress: ip, country: countryCode, current, userId })),
  });
