/** Light, dark, or what the system says. */

import { Store } from "./store";

export type Theme = "system" | "light" | "dark";

const KEY = "impasto-theme";
const ORDER: Theme[] = ["system", "light", "dark"];

function stored(): Theme {
  const word = localStorage.getItem(KEY);
  return ORDER.find((theme) => theme === word) ?? "system";
}

export const theme = new Store<{ choice: Theme }>({ choice: stored() });

function apply(): void {
  const { choice } = theme.value;
  if (choice === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = choice;
}

export function nextTheme(): void {
  const choice = ORDER[(ORDER.indexOf(theme.value.choice) + 1) % ORDER.length] ?? "system";
  localStorage.setItem(KEY, choice);
  theme.set({ choice });
  apply();
}

apply();
