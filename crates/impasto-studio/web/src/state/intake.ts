/** Takes pictures that are dropped, pasted or picked to where they belong. */

import { Store } from "./store";
import { dropStyle, form, isExamplePhoto, setPhoto } from "./form";
import { takeMask } from "./masks";
import { openDialog, view } from "./view";
import { uploadFile, wordsOf } from "../api/client";
import type { FileView } from "../api/types";
import { text } from "../text";

/** What a picture is for. `ask`: the user is asked if it is not clear. */
export type Role = "photo" | "style" | "mask" | "ask";

interface Intake {
  /** Names of the files on their way. */
  busy: string[];
  /** Where the last refusal stands, and its words. */
  error: { role: Role; words: string } | null;
}

export const intake = new Store<Intake>({ busy: [], error: null });

export async function takeFiles(files: Iterable<File>, role: Role): Promise<void> {
  intake.set({ error: null });
  for (const file of files) await takeFile(file, role);
}

async function takeFile(file: File, role: Role): Promise<void> {
  const name = file.name || text.intake.pasted;
  intake.set({ busy: [...intake.value.busy, name] });
  try {
    const uploaded = await uploadFile(name, file);
    if (uploaded.recipe?.kind === "transfer" && role !== "mask") {
      openDialog({ kind: "recipe", file: uploaded });
    } else {
      place(uploaded, role);
    }
  } catch (error) {
    intake.set({ error: { role, words: wordsOf(error) } });
  } finally {
    const busy = [...intake.value.busy];
    busy.splice(busy.indexOf(name), 1);
    intake.set({ busy });
  }
}

/** Puts a picture where it belongs. */
export function place(file: FileView, role: Role): void {
  const { tool } = view.value;
  if (role === "photo") setPhoto(file);
  else if (role === "style") dropStyle(file);
  else if (role === "mask") void (tool && takeMask(tool, file));
  else if (isExamplePhoto() || !form.value.photo) setPhoto(file);
  else openDialog({ kind: "ask", file });
}
