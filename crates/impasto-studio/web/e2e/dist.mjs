/** Puts a page that was just built in place of the one in the program, for work on the page. */

import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

/**
 * Serves `/`, `/docs` and `/assets/` from a folder, with the headers of the program. What a redirect leads to
 * comes from the program all the same, so a visit by the address with the token is repeated.
 */
export async function serveFrom(context, origin, folder) {
  const pages = { "/": "index.html", "/docs": "docs.html" };
  const isOurs = ({ origin: from, pathname, search }) =>
    from === origin && search === "" && (pathname in pages || pathname.startsWith("/assets/"));
  await context.route(isOurs, async (route) => {
    const { pathname } = new URL(route.request().url());
    const file = join(folder, pages[pathname] ?? pathname);
    if (!existsSync(file)) return route.continue();
    const answer = await route.fetch({ url: `${origin}/`, maxRedirects: 0 });
    const status = pathname in pages ? answer.status() : 200;
    const headers = { ...answer.headers(), "content-type": TYPES[extname(file)] };
    return route.fulfill({ status, headers, body: readFileSync(file) });
  });
}
