/** How a small form ends. */

export function SaveOrNot({ unready, onDone }: { unready?: boolean; onDone: () => void }) {
  return (
    <p class="acts">
      <button type="submit" class="text" disabled={unready}>
        Save
      </button>
      <button type="button" class="text" onClick={onDone}>
        Cancel
      </button>
    </p>
  );
}
