/** An OpenAPI document, as far as the reference shows it, and what is read from it. */

import type { Schema } from "../api/types";
import { text } from "../text";

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
  $ref?: string;
}

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: Content & { description?: string; required?: boolean };
  responses?: Record<string, Content & { description?: string; $ref?: string }>;
}

export interface Document {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation | Parameter[]>>;
  components?: {
    schemas?: Record<string, Schema>;
    parameters?: Record<string, Parameter>;
    responses?: Record<string, Content & { description?: string }>;
  };
}

export interface Endpoint {
  method: string;
  path: string;
  operation: Operation;
  parameters: Parameter[];
  /** The fragment of its address on the page. */
  anchor: string;
}

export interface Group {
  name: string;
  description: string;
  endpoints: Endpoint[];
}

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Returns the endpoints by tag, in the order of the document. */
export function groupsOf(document: Document): Group[] {
  const groups = new Map<string, Group>(
    (document.tags ?? []).map(({ name, description = "" }) => [
      name,
      { name, description, endpoints: [] },
    ]),
  );
  for (const [path, item] of Object.entries(document.paths)) {
    const shared = (item["parameters"] ?? []) as Parameter[];
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (!operation) continue;
      const name = operation.tags?.[0] ?? text.docs.other;
      const group = groups.get(name) ?? { name, description: "", endpoints: [] };
      groups.set(name, group);
      const parameters = [...shared, ...(operation.parameters ?? [])].map((parameter) =>
        parameterOf(parameter, document),
      );
      const anchor = `${method}-${path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "")}`;
      group.endpoints.push({ method, path, operation, parameters, anchor });
    }
  }
  return [...groups.values()].filter(({ endpoints }) => endpoints.length > 0);
}

/** Returns a summary as a heading, which has no full stop. */
export function headingOf({ path, operation }: Endpoint): string {
  return operation.summary?.replace(/\.$/, "") ?? path;
}

function lastPart(reference: string): string {
  return reference.split("/").pop() ?? reference;
}

function parameterOf(parameter: Parameter, { components }: Document): Parameter {
  if (!parameter.$ref) return parameter;
  return components?.parameters?.[lastPart(parameter.$ref)] ?? parameter;
}

export function responseOf(
  response: Content & { description?: string; $ref?: string },
  { components }: Document,
): Content & { description?: string } {
  if (!response.$ref) return response;
  return components?.responses?.[lastPart(response.$ref)] ?? response;
}

/** Returns the types of content of a body or a response, with their schemas. */
export function contentOf({ content }: Content): { type: string; schema: Schema | null }[] {
  return Object.entries(content ?? {}).map(([type, { schema }]) => ({
    type,
    schema: schema ?? null,
  }));
}

/** Returns the name of a schema that is referred to. */
export function referenceOf(schema: Schema): string | null {
  return schema.$ref ? lastPart(schema.$ref) : null;
}

/** Returns a schema's type in words: `integer`, `list of string`, `"png" or "jpeg"`. */
export function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum)
    return schema.enum.map((value) => JSON.stringify(value)).join(` ${text.docs.or} `);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const words = types.map((type) =>
    type === "array" && schema.items ? listOf(schema.items) : type,
  );
  return words.join(` ${text.docs.or} `) || (schema.properties ? "object" : text.docs.anything);
}

function listOf(items: Schema): string {
  return `${text.docs.listOf} ${referenceOf(items) ?? typeOf(items)}`;
}

/** Returns the limits of a value in words: `1 to 100, default 50`. */
export function limitsOf(schema: Schema): string {
  const { minimum, maximum, exclusiveMinimum, maxLength, pattern } = schema;
  const words: string[] = [];
  const { limits } = text.docs;
  if (minimum !== undefined && maximum !== undefined) words.push(limits.between(minimum, maximum));
  else if (minimum !== undefined) words.push(limits.least(minimum));
  else if (maximum !== undefined) words.push(limits.most(maximum));
  if (exclusiveMinimum !== undefined) words.push(limits.above(exclusiveMinimum));
  if (maxLength !== undefined) words.push(limits.characters(maxLength));
  if (pattern !== undefined) words.push(pattern);
  if (schema.default !== undefined) words.push(text.docs.standard(JSON.stringify(schema.default)));
  return words.join(", ");
}

/** Returns a value that a schema allows, to be shown in an example. */
function exampleOf(schema: Schema, document: Document, depth = 0): unknown {
  const name = referenceOf(schema);
  if (name) {
    const target = document.components?.schemas?.[name];
    return target && depth < 4 ? exampleOf(target, document, depth + 1) : {};
  }
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [part] = schema.oneOf ?? schema.anyOf ?? [];
  if (part) return exampleOf(part, document, depth);
  const [type] = [schema.type].flat();
  if (type === "array") {
    const count = schema.minItems ?? (depth < 3 ? 1 : 0);
    return Array.from({ length: count }, () => exampleOf(schema.items ?? {}, document, depth + 1));
  }
  if (type === "object" || schema.properties) {
    const required = schema.required ?? [];
    const shown = Object.entries(schema.properties ?? {}).filter(
      ([name]) => required.includes(name) || required.length === 0,
    );
    return Object.fromEntries(
      shown.map(([name, property]) => [name, exampleOf(property, document, depth + 1)]),
    );
  }
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  return schema.pattern?.includes("{64}") ? "…" : "text";
}

/** A job that the server takes. Examples made from its schema would be no pictures. */
const JOB = {
  inputs: {
    content: { path: "photo.jpg", sha256: "…" },
    styles: [{ file: { path: "painting.jpg", sha256: "…" } }],
  },
  options: { strength: 50, size: 512 },
};

/** Returns a command line that makes the request. */
export function curlOf(
  { method, path, operation, parameters }: Endpoint,
  document: Document,
): string {
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
  const query = parameters
    .filter((parameter) => parameter.in === "query" && parameter.required)
    .map(({ name }) => `${name}=${name === "name" ? "photo.jpg" : "…"}`)
    .join("&");
  const lines = [`curl -H "Authorization: Bearer $TOKEN"`];
  if (method !== "get") lines.push(`-X ${method.toUpperCase()}`);
  const [body] = contentOf(operation.requestBody ?? {});
  if (body && body.type.includes("json")) {
    const example = body.schema ? bodyOf(body.schema, document) : {};
    lines.push(`-H "Content-Type: application/json"`, `-d '${JSON.stringify(example)}'`);
  } else if (body) {
    lines.push("--data-binary @photo.jpg");
  }
  lines.push(`"${location.origin}${url}${query ? `?${query}` : ""}"`);
  return lines.join(" \\\n  ");
}

function bodyOf(schema: Schema, document: Document): unknown {
  if (referenceOf(schema) === "Job") return JOB;
  const example = exampleOf(schema, document);
  if (example && typeof example === "object" && "job" in example) return { ...example, job: JOB };
  return example;
}
