/** Helpers of panels that take files: a picker, and drops on the panel itself. */

import { takeFiles, type Role } from "../state/intake";

/** Opens the system's file picker. */
export function pickFiles(role: Role, isMultiple: boolean): void {
  const input = document.createElement("input");
  input.type = "file";
  // The program reads more kinds than the browser, so raw names are offered too.
  input.accept = "image/*,.heic,.heif,.avif,.jxl,.tif,.tiff,.impasto-style";
  input.multiple = isMultiple;
  input.addEventListener("change", () => void takeFiles(input.files ?? [], role));
  input.click();
}

/** Takes files that are dropped on a panel. The page itself then does not ask what they are. */
export function dropFiles(event: DragEvent, role: Role): void {
  const files = event.dataTransfer?.files;
  if (!files?.length) return;
  event.preventDefault();
  void takeFiles(files, role);
}
