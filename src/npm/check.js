import { fail } from "./error.js";

export const isObject = (value) => typeof value === "object" && value !== null;
export const isFunction = (value) => typeof value === "function";
/** Half a surrogate pair would become another character on its way, and an id another id. */
export const isText = (value) => {
  try {
    return typeof value === "string" && encodeURIComponent(value) >= "";
  } catch {
    return false;
  }
};

// What a value has to be: in words, and as a test.
export const number = (least, most) => [`a whole number from ${least} to ${most}`, (value) => Number.isInteger(value) && value >= least && value <= most];
export const oneOf = (...names) => [names.map((name) => `"${name}"`).join(" or "), (value) => names.includes(value)];
export const STRING = ["a string of Unicode text", isText];
export const FLAG = ["true or false", (value) => typeof value === "boolean"];
export const FUNCTION = ["a function", isFunction];

export const HEADER = ["a header's name", (value) => isText(value) && /^[\w!#$%&'*+.^`|~-]+$/.test(value)];

/** Members with ! after their name have to be there; of others, `undefined` and `null` are as if they were not. */
export function check(object, table, code, prefix = "") {
  for (const [key, [what, isRight]] of Object.entries(table)) {
    const name = key.replace("!", "");
    const value = object[name] ?? undefined;
    if (value === undefined ? name !== key : !isRight(value)) {
      throw fail(code, `${prefix}${name} must be ${what}`);
    }
  }
}
