/** Drawers lie over the page where it is narrow. Whoever goes on behind one by keyboard must see where they are: it gives way. */

/** For `onFocusOut` of a drawer that covers what is behind it where `media` fits. */
export function gives(media: string, way: () => void): (event: FocusEvent) => void {
  return ({ currentTarget, relatedTarget }) => {
    const behind = relatedTarget instanceof Node && currentTarget instanceof Node && !currentTarget.contains(relatedTarget);
    if (behind && matchMedia(media).matches) way();
  };
}

/** As library.css has it. */
export const NARROW = "(max-width: 64rem)";
export const NARROWER = "(max-width: 56rem)";
