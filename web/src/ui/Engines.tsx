/** Who listens, thinks and speaks. */

import { type Engine, inUse, model, vendor } from "../relay/catalog.ts";
import type { Room } from "../talk/room.ts";

export function Engines({ room }: { room: Room }) {
  const catalog = room.catalog.value;
  const { model: thinks, recogniser, voice } = room.choices.value;
  const native = catalog?.engines.find((engine) => engine.kind === "realtime" && engine.name === thinks);
  return (
    <section class="panel" aria-labelledby="engines">
      <h2 id="engines">Engines</h2>
      {catalog ? (
        <dl class="facts" data-testid="engines">
          <Row name="Listens" engine={inUse(catalog, "stt", recogniser)} />
          {native ? (
            <Row name="Thinks and speaks" engine={native} />
          ) : (
            <>
              <Row name="Thinks" engine={inUse(catalog, "llm", thinks)} />
              <Row name="Speaks" engine={speaker(catalog.engines, voice) ?? inUse(catalog, "tts", "")} />
            </>
          )}
        </dl>
      ) : (
        <p class="soft">The relay does not answer yet.</p>
      )}
    </section>
  );
}

/** The engine that a voice's name says it belongs to. */
function speaker(engines: Engine[], voice: string): Engine | undefined {
  const mouths = engines.filter((engine) => engine.kind === "tts");
  return mouths.find((engine) => engine.name === voice) ?? (voice ? mouths.find((engine) => vendor(engine.name) === vendor(voice)) : undefined);
}

function Row({ name, engine }: { name: string; engine: Engine | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {engine ? (
          <>
            <span class={`dot dot-${engine.healthy ? "well" : "ill"}`} aria-hidden="true" />
            {model(engine.name)} <span class="soft">{vendor(engine.name)}{engine.healthy ? "" : `, ${engine.state}`}</span>
          </>
        ) : (
          "nobody"
        )}
      </dd>
    </div>
  );
}
