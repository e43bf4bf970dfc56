const SVG = "http://www.w3.org/2000/svg";

/** Each a path in a square of 24. */
const ICONS = {
  __proto__: null,
  desktop: "M6 5h12a1.5 1.5 0 0 1 1.5 1.5v7.5a1.5 1.5 0 0 1-1.5 1.5h-12a1.5 1.5 0 0 1-1.5-1.5v-7.5a1.5 1.5 0 0 1 1.5-1.5zM2.5 19h19",
  mobile: "M9 3h6a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H9a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM11 18h2",
  tablet: "M7 3h10a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM11 18h2",
  bot: "M5 4.5h14a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM7 9.5l3 2.5-3 2.5M12.5 15H17",
  app: "M4 4h6.5v6.5H4zM13.5 4H20v6.5h-6.5zM4 13.5h6.5V20H4zM13.5 13.5H20V20h-6.5z",
  unknown: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M9.5 9.5a2.5 2.5 0 1 1 3.700 2.200c-.8.4-1.2 1-1.2 1.800M12 16.800v.01",
  refresh: "M20 11a8 8 0 0 0-14.300-3.900L4 9M4 4.5V9h4.5M4 13a8 8 0 0 0 14.300 3.900L20 15M20 19.5V15h-4.5",
  check: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M8.5 12.200l2.400 2.400 4.600-5",
  alert: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 7.5V13M12 16.300v.01",
  info: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18M12 11v5.5M12 7.700v.01",
  offline: "M3 3l18 18M8.5 8.200A6 6 0 0 0 6.800 9.700 4.200 4.200 0 0 0 7.200 18H17M12 6.5c2.700 0 5 1.900 5.5 4.5a3.600 3.600 0 0 1 3 5.300",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  chevron: "M9 6l6 6-6 6",
};

/**
 * An element. Text becomes text nodes, so that nothing a device sends turns into markup. Its classes are its parts, for the page's `::part()`. `key`: by which `patch` knows it.
 */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), { ...attributes, part: attributes?.class }, children);
}

export function icon(name) {
  const path = fill(document.createElementNS(SVG, "path"), { d: ICONS[name] ?? ICONS.unknown }, []);
  return fill(document.createElementNS(SVG, "svg"), { class: "icon", part: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, [path]);
}

/** For screen readers only. */
export const unseen = (...children) => h("span", { class: "unseen" }, ...children);

function fill(element, { key, ...attributes }, children) {
  element.key = key;
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter(Boolean));
  return element;
}

/**
 * Makes `from` look like `to` while keeping the nodes it already has: focus, open details and a screen reader's place survive a render.
 * Elements with a key are matched by it, the rest by position.
 */
export function patch(from, to) {
  patchAttributes(from, to);
  const keyed = (parent) => [...parent.children].filter((child) => child.key).map((child) => [child.key, child]);
  const wanted = new Map(keyed(to));
  const existing = new Map(keyed(from));
  let place = from.firstChild;
  const drop = () => {
    const next = place.nextSibling;
    place.remove();
    place = next;
  };
  for (const next of [...to.childNodes]) {
    // Drop what is gone first: moving the nodes behind it instead would take the focus away from them.
    while (place?.key && !wanted.has(place.key)) drop();
    const known = next.key ? existing.get(next.key) : place && !place.key ? place : null;
    if (known?.nodeName !== next.nodeName) {
      from.insertBefore(next, place);
      continue;
    }
    if (known === place) place = place.nextSibling;
    else from.insertBefore(known, place);
    if (known.nodeType === 1) patch(known, next);
    else if (known.nodeValue !== next.nodeValue) known.nodeValue = next.nodeValue;
  }
  while (place) drop();
}

function patchAttributes(from, to) {
  for (const name of from.getAttributeNames()) {
    // Whether details are open is the user's business, not the state's.
    if (!to.hasAttribute(name) && name !== "open") from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}
