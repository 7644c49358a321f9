/** What the relay offers: engines that listen, think and speak, and their voices. */

import type { Access } from "./access.ts";

export interface Engine {
  /** `vendor/model`. */
  name: string;
  kind: "stt" | "llm" | "tts" | "realtime";
  default: boolean;
  healthy: boolean;
  state: string;
  languages: string[];
}

export interface Voice {
  id: string;
  name: string;
  /** The engine that speaks with it. */
  provider: string;
}

/** One of the choices in the settings: what is sent, and how it is told. */
export interface Choice {
  value: string;
  label: string;
  group: string;
}

export interface Catalog {
  engines: Engine[];
  voices: Voice[];
}

export async function fetchCatalog(access: Access): Promise<Catalog> {
  const [engines, voices] = await Promise.all([
    access.get<{ items: Engine[] }>("/voice/providers"),
    access.get<{ items: Voice[] }>("/voice/voices"),
  ]);
  return { engines: engines.items, voices: voices.items };
}

/** Who can answer: language models, and models that hear and speak by themselves. */
export function models(catalog: Catalog): Choice[] {
  return catalog.engines
    .filter((engine) => engine.kind === "llm" || engine.kind === "realtime")
    .map((engine) => ({ value: engine.name, label: model(engine.name), group: vendor(engine.name) }));
}

export function recognisers(catalog: Catalog): Choice[] {
  return catalog.engines
    .filter((engine) => engine.kind === "stt")
    .map((engine) => ({ value: engine.name, label: model(engine.name), group: vendor(engine.name) }));
}

/**
 * Voices as a session names them: `vendor/voice` says whose it is. Where a vendor has several engines that would name the
 * first of them, so there an engine's own name stands for its usual voice.
 */
export function voices(catalog: Catalog): Choice[] {
  const mouths = catalog.engines.filter((engine) => engine.kind === "tts" || engine.kind === "realtime");
  const among = (name: string) => mouths.filter((engine) => vendor(engine.name) === vendor(name)).length;
  const choices: Choice[] = [];
  for (const engine of mouths.filter((engine) => among(engine.name) > 1)) {
    const usual = catalog.voices.find((voice) => voice.provider === engine.name);
    const label = usual ? `${model(engine.name)} (${usual.name})` : model(engine.name);
    choices.push({ value: engine.name, label, group: vendor(engine.name) });
  }
  for (const voice of catalog.voices.filter((voice) => among(voice.provider) === 1)) {
    choices.push({ value: `${vendor(voice.provider)}/${voice.id}`, label: voice.name, group: vendor(voice.provider) });
  }
  return choices;
}

/** Languages somebody here understands, by their names in the reader's own language. */
export function languages(catalog: Catalog, reader: string): Choice[] {
  const codes = new Set(catalog.engines.filter((engine) => engine.kind === "stt").flatMap((engine) => engine.languages));
  const names = new Intl.DisplayNames([reader, "en"], { type: "language" });
  const named = [...codes].map((code) => ({ value: code, label: name(names, code), group: "" }));
  return named.sort((a, b) => a.label.localeCompare(b.label, reader));
}

function name(names: Intl.DisplayNames, code: string): string {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

/** The engine that does this for the call: the one chosen, else the preferred one that works. */
export function inUse(catalog: Catalog, kind: Engine["kind"], chosen: string): Engine | undefined {
  const able = catalog.engines.filter((engine) => engine.kind === kind);
  return able.find((engine) => engine.name === chosen) ?? able.find((engine) => engine.default && engine.healthy) ?? able.find((engine) => engine.healthy);
}

export const vendor = (engine: string): string => engine.split("/")[0] ?? engine;
export const model = (engine: string): string => engine.split("/").slice(1).join("/") || engine;
