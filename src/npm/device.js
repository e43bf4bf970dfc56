// Labels for people, from user agents, and from what a back-end has read in one. The rules and their reasons are those of `src/device.rs`, which labels for the Rust API and says what is in the
// tables; `tests/node/read.test.mjs` and `labels.test.mjs` compare both.
import bots from "../device/bots.js";
import names from "../device/names.js";
import systems from "../device/systems.js";

/** As many bytes of a text are looked at. */
const LONGEST = 1024;

/** The rows of all tables, by the letters with which their words begin, and what ends a bot's name. */
let ROWS;
let BOT;

function prepare() {
  ROWS = {};
  BOT = new RegExp(`(${bots.trim().replaceAll(" ", "|")})(?![a-z])`);
  let rank = 0;
  // What else is asked about are tables of one row.
  [names, systems, " |x86_64|i386", " |http://|https://", " version", " mobile", " tablet"].forEach((table, at) => {
    for (const line of table.trimEnd().split("\n")) {
      const [, kind, name, words = name] = /(\w*) ([^|]*)\|?(.+)?/.exec(line);
      for (const word of words.toLowerCase().split("|")) (ROWS[word.slice(0, 2)] ??= []).push({ at, rank: rank++, word, kind, name });
    }
  });
}

/** In small letters, and nothing but ASCII: what becomes a letter of it is none. */
const start = (text) => text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(LONGEST)).read).replace(/[^ -~]/g, "~").toLowerCase();

/** Of each table the first row that has a word in the text: one of its own there, though numbers may come right after. */
function lookUp(text) {
  const found = [];
  text.replace(/\d[a-z\d]*|[a-z]+/g, (_, begin) => {
    for (const row of ROWS[text.slice(begin, begin + 2)] ?? []) {
      const { at, rank, word } = row;
      if (!(found[at]?.rank < rank) && text.startsWith(word, begin) && !/^[a-z]{2}/.test(text.slice(begin + word.length - 1, begin + word.length + 1))) found[at] = row;
    }
  });
  return found;
}

/** The label of a user agent, or of what the back-end makes of it: the system and the device in words, the browser with a version or without, and whether it is mobile, or null. */
export function label(userAgent, system, browser, isMobile) {
  if (!ROWS) prepare();
  const agent = start(userAgent);
  const [ofAgent, itsSystem, isIntel, hasLink, hasVersion, saysMobile] = lookUp(agent);
  const [, toldSystem, , , , , saysTablet] = lookUp(start(system));
  let { kind: usual = "", name: place = "" } = toldSystem ?? itsSystem ?? {};
  if (place === "Darwin") [usual, place] = isIntel ? ["desktop", "macOS"] : ["mobile", "iOS"];
  const isAndroid = place === "Android";
  const isBot = hasLink || BOT.test(agent.replaceAll("cubot", "cu"));
  const [toldName] = browser.split("/", 1);
  const isTold = !["", "Other", "Unknown"].includes(toldName);
  let { kind: role = "", name = "" } = (isTold ? lookUp(start(browser))[0] : !isBot && ofAgent) || {};
  if (isAndroid && name === "Safari") name = "Android Browser";
  if (isAndroid && name === "Chrome" && hasVersion) [role, name] = ["client", "Android WebView"];
  if (isTold) name ||= toldName;
  let kind = usual || "unknown";
  if (isBot) kind = "bot";
  else if (role || (!name && /mobile|tablet/.test(usual) && agent.includes("/"))) kind = "app";
  else if (saysTablet || (isAndroid && !(isMobile ?? (!userAgent || saysMobile)))) kind = "tablet";
  else if (isMobile && usual !== "tablet") kind = "mobile";
  const what = name || { bot: "Bot", app: "App" }[kind] || "";
  const shown = what.startsWith(place) ? "" : place;
  return {
    label: what + (role === "app" && name ? " app" : "") + (what && shown && " on ") + shown || "Unknown device",
    browser: name || null,
    os: place.startsWith("iP") ? "iOS" : place || null,
    kind,
  };
}
