/** What the program is and can do, and the schema that forms are made from. */

import { Store } from "./store";
import { getSchema, getSystem } from "../api/client";
import type { Schema, System } from "../api/types";

export const system = new Store<{ info: System | null; schema: Schema | null }>({
  info: null,
  schema: null,
});

export async function loadSystem(): Promise<System> {
  const info = await getSystem();
  system.set({ info });
  return info;
}

export async function loadSchema(): Promise<void> {
  system.set({ schema: await getSchema() });
}
