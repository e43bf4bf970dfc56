import { h, whileBusy } from "./dom";

/** Asks; Escape, Cancel and a click outside are a no. The browser traps the focus and gives it back. */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "confirm-title" }, title),
    h("p", { id: "confirm-text" }, text),
    h("div", { class: "dialog-actions" }, h("button", { class: "button", value: "", autofocus: true }, "Cancel"), h("button", { class: "button button-danger-solid", value: "confirmed" }, action)),
  );
  return ask("confirm", form);
}

/** Asks for the password until `check` takes it. A no is a no: what wanted it then fails. */
export async function askForPassword(why: string, email: string, check: (password: string) => Promise<void>): Promise<boolean> {
  const username = h("input", { type: "email", name: "email", autocomplete: "username", value: email, readonly: true, hidden: true });
  const password = h("input", { id: "again-password", type: "password", name: "password", autocomplete: "current-password", "aria-describedby": "again-error", autofocus: true });
  const error = h("p", { id: "again-error", class: "form-error", role: "alert", hidden: true });
  const button = h("button", { class: "button button-primary" }, "Sign in");
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
  const close = (answer: string) => form.closest("dialog")?.close(answer);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void whileBusy(button, "Signing in…", async () => {
      error.hidden = true;
      try {
        await check(password.value);
        close("confirmed");
      } catch (cause) {
        error.textContent = cause instanceof Error ? cause.message : "Something went wrong on this page. Reload it and try again.";
        error.hidden = false;
        password.setAttribute("aria-invalid", "true");
        password.select();
      }
    });
  });
  cancel.addEventListener("click", () => close(""));
  return ask("again", form);
}

/** What is asked is about what was shown: no. */
export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close("");
}

/** Made anew each time: a page has one password field for a form filler to find. */
async function ask(id: string, form: HTMLFormElement): Promise<boolean> {
  const dialog = h("dialog", { id, class: "dialog", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-text`, closedby: "any" }, form);
  document.body.append(dialog);
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  dialog.remove();
  return dialog.returnValue === "confirmed";
}
