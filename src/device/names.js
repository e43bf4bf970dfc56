export default `app Messenger|Messenger|MessengerForiOS
app Instagram
app Threads|Barcelona
app Facebook|FBAN|FBAV|FB_IAB
app TikTok|TikTok|musical_ly|BytedanceWebview
app WeChat|MicroMessenger
app LINE
app Google Search|GSA
app Gmail
app Outlook|Outlook|MacOutlook
app Slack
app Teams|Teams|TeamsMobile
app Discord
app Twitter|Twitter|TwitterAndroid
app Snapchat
app Pinterest
app LinkedIn|LinkedIn|LinkedInApp
app WhatsApp
app Telegram
app KakaoTalk
app Spotify
client curl
client Wget
client okhttp
client axios
client Python
client Go-http-client
client Postman|PostmanRuntime
client Dart
client PowerShell|PowerShell|WindowsPowerShell
client Node.js|node|node-fetch|undici
 Edge|Edg|EdgA|EdgiOS|Edge/|Microsoft Edge
 Opera|Opera|OPR|OPiOS|OPX|OPT
 Quest Browser|OculusBrowser
 Samsung Internet|SamsungBrowser
 Vivaldi
 Yandex Browser|YaBrowser|YaSearchBrowser
 UC Browser|UC Browser|UCBrowser|UCWEB|UBrowser
 Naver Whale|Whale/
 DuckDuckGo|DuckDuckGo|Ddg
 Brave
 Amazon Silk|Silk
 QQ Browser|MQQBrowser|QQBrowser
 Mi Browser|MiuiBrowser
 Huawei Browser|HuaweiBrowser
 Ecosia
 SeaMonkey
 Internet Explorer|MSIE|Trident|IEMobile
 Firefox|Firefox|FxiOS|Focus/|Fennec
client Android WebView|wv)|WebView
app |Electron
 Headless Chrome|HeadlessChrome
 Chromium
 Chrome|Chrome|CriOS
 Safari
app |CFNetwork|Dalvik`;
