export default `mobile Windows Phone
tablet iPad
mobile iPhone
mobile iPod
mobile iOS|iOS|CriOS|FxiOS|EdgiOS|OPiOS
mobile HarmonyOS|HarmonyOS|OpenHarmony
mobile KaiOS
unknown Tizen
unknown webOS|webOS|Web0S
unknown PlayStation
unknown Xbox
mobile Android|Android|Adr|Silk|Quest
desktop ChromeOS|CrOS|ChromeOS|Chrome OS
desktop Windows
desktop macOS|macOS|Mac|Macintosh
desktop FreeBSD
desktop Linux|Linux|Ubuntu|Fedora|Debian|CentOS
mobile Darwin`;
