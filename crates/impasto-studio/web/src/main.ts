/** Starts the page: loads the state, follows the form, and defines the components. */

import "./state/theme";
import "./components/app";
import { onReturn } from "./state/connection";
import { begin, recover } from "./state/session";

onReturn(() => void recover());
void begin();
