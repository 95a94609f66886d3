/** Which keys the page may take. */

/**
 * Whether a key is for the page: the focus is on the picture or nowhere. Letters that reach a
 * control are the control's.
 */
export function isForPage(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return target === document.body || (target instanceof HTMLElement && target.id === "stage");
}
