export interface Question {
  title: string;
  text: string;
  /** Label of the button that does it. */
  action: string;
}

/** Asks in the page's one dialog; Escape, Cancel and a click outside are a no. The browser traps the focus and gives it back. */
export function confirm({ title, text, action }: Question): Promise<boolean> {
  const dialog = document.querySelector<HTMLDialogElement>("#confirm");
  const [heading, body, button] = ["#confirm-title", "#confirm-text", "#confirm-button"].map((id) => document.querySelector(id));
  if (!dialog || !heading || !body || !button || dialog.open) return Promise.resolve(false);
  heading.textContent = title;
  body.textContent = text;
  button.textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "confirmed"), { once: true });
  });
}
