/** Reads a JSON Schema: what kind of control a field needs, and what its help is. */

import type { Schema } from "../api/types";

export type Control =
  | { kind: "choice"; words: { value: string; help: string }[] }
  | { kind: "flag" }
  | { kind: "number"; isWhole: boolean }
  /** `separator`: the text is a list. */
  | { kind: "text"; separator: "," | " " | null };

export interface Field {
  name: string;
  control: Control;
  help: string;
  /** The default, as the description states it. */
  standard: string;
}

/** Follows references, and leaves out the `null` that stands for "not given". */
function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref) return resolved(root.$defs?.[schema.$ref.split("/").pop() ?? ""] ?? {}, root);
  const real = schema.anyOf?.filter((part) => part.type !== "null");
  const [only] = real ?? [];
  if (real?.length === 1 && only) {
    const { anyOf: _, ...outer } = schema;
    return { ...resolved(only, root), ...outer };
  }
  return schema;
}

function typesOf({ type }: Schema): string[] {
  return type === undefined ? [] : Array.isArray(type) ? type : [type];
}

/** Joins the lines of a doc comment and splits off its `[default: …]`. */
function helpOf(description = ""): { help: string; standard: string } {
  const joined = description
    .replace(/\n(?!\n)/g, " ")
    .replace(/ {2,}/g, " ")
    // The words are those of the command line. Here an option is a field.
    .replace(/(^|[\s(])--(?=[a-z])/g, "$1");
  const match = /\s*\[default: ([^\]]*)\]/.exec(joined);
  return { help: joined.replace(match?.[0] ?? "", "").trim(), standard: match?.[1]?.trim() ?? "" };
}

function controlOf(schema: Schema, root: Schema): Control {
  const types = typesOf(schema);
  const words = schema.oneOf?.filter((part) => typeof part.const === "string") ?? [];
  if (words.length > 0 && words.length === schema.oneOf?.length) {
    const choices = words.map((part) => ({
      value: String(part.const),
      help: helpOf(part.description?.split("\n\n")[0]).help,
    }));
    return { kind: "choice", words: choices };
  }
  if (schema.enum) {
    const values = schema.enum.filter((value) => value !== null);
    return { kind: "choice", words: values.map((value) => ({ value: String(value), help: "" })) };
  }
  if (types.includes("boolean")) return { kind: "flag" };
  if (types.includes("integer") || types.includes("number")) {
    return { kind: "number", isWhole: types.includes("integer") };
  }
  if (!types.includes("array")) return { kind: "text", separator: null };
  // An entry with commas of its own, such as `40:strength=70,tv-weight=0.1`, ends at a space.
  const { examples = [] } = schema.items ? resolved(schema.items, root) : {};
  const hasCommas = examples.some((example) => String(example).includes(","));
  return { kind: "text", separator: hasCommas ? " " : "," };
}

/** Returns the fields of a group that go with a kind of job. */
export function fieldsOf(root: Schema, group: string, kind: string): Field[] {
  const properties = root.$defs?.[group]?.properties ?? {};
  const fits = ({ "x-kinds": kinds }: Schema): boolean => kinds?.includes(kind) ?? true;
  return Object.entries(properties)
    .filter(([, schema]) => fits(schema))
    .map(([name, schema]) => {
      const control = controlOf(resolved(schema, root), root);
      return { name, control, ...helpOf(schema.description) };
    });
}
