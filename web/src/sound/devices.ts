/** Microphones and loudspeakers by name; browsers tell the names once a microphone was allowed. */

export interface Device {
  id: string;
  label: string;
}

export interface Devices {
  microphones: Device[];
  /** Empty where the browser has no choice to offer. */
  speakers: Device[];
}

export const NONE: Devices = { microphones: [], speakers: [] };

export async function listDevices(): Promise<Devices> {
  if (!navigator.mediaDevices) return NONE;
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind: MediaDeviceKind) =>
    all
      .filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default" && device.deviceId !== "communications")
      .map((device, index) => ({ id: device.deviceId, label: device.label || `${kind === "audioinput" ? "Microphone" : "Speaker"} ${index + 1}` }));
  return { microphones: of("audioinput"), speakers: "setSinkId" in AudioContext.prototype ? of("audiooutput") : [] };
}
