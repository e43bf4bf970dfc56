export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | null | undefined>;

/** An element. Text becomes text nodes, never markup, so nothing a device sends can turn into HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function s(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/**
 * Makes `from` look like `to` while keeping the nodes it already has: focus, typed text, open details and a screen reader's place survive a render.
 * Elements with an id are matched by it, the rest by position.
 */
export function patch(from: Element, to: Element): void {
  patchAttributes(from, to);
  const wanted = new Set([...to.children].map((child) => child.id).filter(Boolean));
  const existing = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place: ChildNode | null = from.firstChild;
  for (const next of [...to.childNodes]) {
    // Drop what is gone first: moving the nodes behind it instead would take the focus away from them.
    while (place && idOf(place) && !wanted.has(idOf(place))) place = drop(place);
    const known = existing.get(idOf(next)) ?? (place && !idOf(place) ? place : undefined);
    if (!known || known.nodeName !== next.nodeName || idOf(known) !== idOf(next)) {
      from.insertBefore(next, place);
      continue;
    }
    if (known === place) place = place.nextSibling;
    else from.insertBefore(known, place);
    if (known instanceof Element && next instanceof Element) patch(known, next);
    else if (known.nodeValue !== next.nodeValue) known.nodeValue = next.nodeValue;
  }
  while (place) place = drop(place);
}

function patchAttributes(from: Element, to: Element): void {
  for (const name of from.getAttributeNames()) {
    // Whether details are open is the user's business, not the state's.
    if (!to.hasAttribute(name) && !(name === "open" && from instanceof HTMLDetailsElement)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

const idOf = (node: Node): string => (node instanceof Element ? node.id : "");

function drop(node: ChildNode): ChildNode | null {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** Says something to screen-reader users. */
export function announce(text: string): void {
  const live = document.getElementById("live");
  if (!live) return;
  // Emptied first, because the same sentence twice in a row would not be read again.
  live.textContent = "";
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}
