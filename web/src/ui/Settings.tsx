/** Everything there is to choose. */

import { useEffect, useRef } from "preact/hooks";

import { type Choice, languages, models, recognisers, voices } from "../relay/catalog.ts";
import type { Carrier } from "../relay/dial.ts";
import type { Choices } from "../talk/choices.ts";
import type { Room } from "../talk/room.ts";
import { Icon } from "./Icon.tsx";

export function Settings({ room, open, onClose }: { room: Room; open: boolean; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) {
      dialog.current?.showModal();
      void room.lookAtDevices();
    } else dialog.current?.close();
  }, [open]);
  const choices = room.choices.value;
  const catalog = room.catalog.value ?? { engines: [], voices: [] };
  const { microphones, speakers } = room.devices.value;
  const set = (change: Partial<Choices>) => void room.choose(change);
  const devices = (list: { id: string; label: string }[]) => list.map(({ id, label }) => ({ value: id, label, group: "" }));
  return (
    <dialog class="settings" ref={dialog} onClose={onClose} aria-labelledby="settings">
      <header>
        <h2 id="settings">Settings</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="fields">
        <label class="switch">
          <input type="checkbox" role="switch" checked={choices.pushToTalk} onChange={(event) => set({ pushToTalk: event.currentTarget.checked })} />
          <span>
            Push to talk
            <small>Hold the space bar, or the button, while you speak.</small>
          </span>
        </label>
        <Pick label="Microphone" usual="The usual one" value={choices.microphone} among={devices(microphones)} onPick={(microphone) => set({ microphone })} />
        {speakers.length > 0 && (
          <Pick label="Loudspeaker" usual="The usual one" value={choices.speaker} among={devices(speakers)} onPick={(speaker) => set({ speaker })} />
        )}
        <Pick label="Voice" usual="The relay’s choice" value={choices.voice} among={voices(catalog)} onPick={(voice) => set({ voice })} />
        <Pick
          label="Language you speak"
          usual="Whatever is spoken"
          value={choices.language}
          among={languages(catalog, navigator.language)}
          onPick={(language) => set({ language })}
        />
        <Pick label="Who answers" usual="The relay’s choice" value={choices.model} among={models(catalog)} onPick={(model) => set({ model })} />
        <Pick label="Who listens" usual="The relay’s choice" value={choices.recogniser} among={recognisers(catalog)} onPick={(recogniser) => set({ recogniser })} />
        <Pick
          label="Connection"
          usual=""
          value={choices.carrier}
          among={CARRIERS}
          onPick={(carrier) => set({ carrier: carrier as Carrier })}
        />
      </div>
      <footer>
        <button type="button" class="text" onClick={() => room.leave("asking")}>
          {room.loggedIn ? "Log out" : "Forget the key"}
        </button>
      </footer>
    </dialog>
  );
}

function Pick(props: { label: string; usual: string; value: string; among: Choice[]; onPick: (value: string) => void }) {
  const { label, usual, value, among, onPick } = props;
  const groups = [...new Set(among.map((choice) => choice.group))];
  const option = (choice: Choice) => (
    <option key={choice.value} value={choice.value}>
      {choice.label}
    </option>
  );
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onPick(event.currentTarget.value)}>
        {usual && <option value="">{usual}</option>}
        {/* What was chosen and is not there now is still what was chosen. */}
        {value && !among.some((choice) => choice.value === value) && <option value={value}>{`${value.slice(0, 24)} (not here)`}</option>}
        {groups.map((group) =>
          group ? (
            <optgroup key={group} label={group}>
              {among.filter((choice) => choice.group === group).map(option)}
            </optgroup>
          ) : (
            among.filter((choice) => choice.group === group).map(option)
          ),
        )}
      </select>
    </label>
  );
}

const CARRIERS: Choice[] = [
  { value: "auto", label: "WebRTC, else WebSocket", group: "" },
  { value: "webrtc", label: "WebRTC only", group: "" },
  { value: "websocket", label: "WebSocket only", group: "" },
];
