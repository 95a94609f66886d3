/** Starts the API reference. */

import "../state/theme";
import "./page";
