/** Line drawings of 24 by 24; beside words or a label, so never read aloud. */

const PATHS = {
  wave: ["M5 10v4", "M9.5 7v10", "M14 3.5v17", "M18.5 9v6"],
  mic: ["M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3"],
  muted: ["M4 4l16 16", "M15 10.5V6a3 3 0 0 0-5.8-1.1", "M9 9v3a3 3 0 0 0 4.6 2.5", "M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2", "M18.5 11.5a6.4 6.4 0 0 1-.5 2.5", "M12 18v3"],
  stop: ["M7 7h10v10H7z"],
  send: ["M12 19V5", "M6 11l6-6 6 6"],
  settings: ["M4 7h9", "M17 7h3", "M4 17h3", "M11 17h9", "M15 4.5v5", "M9 14.5v5"],
  new: ["M12 5v14", "M5 12h14"],
  library: ["M4 5h4v14H4z", "M8 5h4v14H8z", "M13.2 6.2l3.8-1 3.4 12.8-3.8 1z"],
  folder: ["M3.5 7a1.5 1.5 0 0 1 1.5-1.5h4l2 2.5h8a1.5 1.5 0 0 1 1.5 1.5v7.5A1.5 1.5 0 0 1 19 18.5H5A1.5 1.5 0 0 1 3.5 17z"],
  file: ["M6.5 3.5h7l4.5 4.5v12.5h-11.5z", "M13 3.5v5h5"],
  clip: ["M19 11l-7.4 7.4a4.2 4.2 0 0 1-6-6L13 5a2.8 2.8 0 0 1 4 4l-7.3 7.3a1.4 1.4 0 0 1-2-2L14.4 7.6"],
  about: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 11v5.5", "M12 7.5v.1"],
  edit: ["M5 19l.8-3.8L16 5l3 3L8.800 18.200z"],
  close: ["M6 6l12 12", "M18 6L6 18"],
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {PATHS[name].map((path) => (
        <path key={path} d={path} />
      ))}
    </svg>
  );
}
