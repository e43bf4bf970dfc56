import { h } from "./dom";

export interface Question {
  title: string;
  text: string;
  /** Label of the button that does it. */
  action: string;
}

/** Asks in the page's dialog for that; Escape, Cancel and a click outside are a no. The browser traps the focus and gives it back. */
export function confirm({ title, text, action }: Question): Promise<boolean> {
  const dialog = document.querySelector<HTMLDialogElement>("#confirm");
  const [heading, body, button] = ["#confirm-title", "#confirm-text", "#confirm-button"].map((id) => document.querySelector(id));
  if (!dialog || !heading || !body || !button || dialog.open) return Promise.resolve(false);
  heading.textContent = title;
  body.textContent = text;
  button.textContent = action;
  return opened(dialog);
}

/** Asks for the password until `check` takes it. A no is a no: what wanted it then fails. Made anew each time: a page has one password field for a form filler to find. */
export async function askForPassword(why: string, email: string, check: (password: string) => Promise<void>): Promise<boolean> {
  const username = h("input", { type: "email", name: "email", autocomplete: "username", value: email, readonly: true, hidden: true });
  const password = h("input", { id: "again-password", type: "password", name: "password", autocomplete: "current-password", "aria-describedby": "again-error", autofocus: true });
  const error = h("p", { id: "again-error", class: "form-error", role: "alert", hidden: true });
  const label = h("span", {}, "Sign in");
  const button = h("button", { class: "button button-primary" }, label);
  const cancel = h("button", { type: "button", class: "button" }, "Cancel");
  const form = h(
    "form",
    { class: "form", novalidate: true },
    h("h2", { id: "again-title" }, "Please sign in again"),
    h("p", { id: "again-text" }, why),
    username,
    h("div", { class: "field" }, h("label", { for: "again-password" }, "Password"), password),
    error,
    h("div", { class: "dialog-actions" }, cancel, button),
  );
  const dialog = h("dialog", { id: "again", class: "dialog", "aria-labelledby": "again-title", "aria-describedby": "again-text" }, form);

  const setBusy = (busy: boolean) => {
    button.setAttribute("aria-disabled", String(busy));
    label.textContent = busy ? "Signing in…" : "Sign in";
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    setBusy(true);
    error.hidden = true;
    try {
      await check(password.value);
      dialog.close("confirmed");
    } catch (cause) {
      error.textContent = cause instanceof Error ? cause.message : "Something went wrong on this page. Reload it and try again.";
      error.hidden = false;
      password.setAttribute("aria-invalid", "true");
      password.select();
    } finally {
      setBusy(false);
    }
  });
  cancel.addEventListener("click", () => dialog.close());

  document.body.append(dialog);
  try {
    return await opened(dialog);
  } finally {
    dialog.remove();
  }
}

/** What is asked is about what was shown: no. */
export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close("");
}

function opened(dialog: HTMLDialogElement): Promise<boolean> {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirmed"), { once: true });
  });
}
