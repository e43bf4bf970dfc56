export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | boolean | null | undefined>;

/** An element. Text becomes text nodes, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: string): SVGElement {
  const use = fill(document.createElementNS(SVG, "use"), { href: `#icon-${name}` }, []);
  return fill(document.createElementNS(SVG, "svg"), { class: "icon", "aria-hidden": "true" }, [use]);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** The element of index.html with this id. */
export const byId = <E extends HTMLElement = HTMLElement>(id: string): E => find<E>(document, `#${id}`);

/** What is in there for sure. */
export function find<E extends HTMLElement = HTMLElement>(where: ParentNode, selector: string): E {
  const found = where.querySelector<E>(selector);
  if (!found) throw new Error(`there is no ${selector}`);
  return found;
}

/** A copy of the element that the template of index.html holds. */
export const copyOf = (id: string): HTMLElement => find<HTMLElement>(document.importNode(byId<HTMLTemplateElement>(id).content, true), "*");

/** A busy button is aria-disabled, not disabled: it would lose the focus. */
export async function whileBusy<Result>(button: HTMLElement, label: string, task: () => Promise<Result>): Promise<Result | undefined> {
  if (button.getAttribute("aria-disabled") === "true") return undefined;
  const { textContent } = button;
  button.setAttribute("aria-disabled", "true");
  button.textContent = label;
  try {
    return await task();
  } finally {
    button.removeAttribute("aria-disabled");
    button.textContent = textContent;
  }
}

/** Says something to screen-reader users. */
export function announce(text: string): void {
  const live = byId("live");
  // Emptied first, because the same sentence twice in a row would not be read again.
  live.textContent = "";
  requestAnimationFrame(() => {
    live.textContent = text;
  });
}
