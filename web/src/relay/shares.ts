/** Links by which others read a conversation. */

import type { Access } from "./access.ts";
import { every } from "./lists.ts";

export interface Share {
  share_id: string;
  expires_at: string;
  password_protected: boolean;
  access_count: number;
}

/** A link that was just made: its address is shown this once. */
export interface Made {
  share_id: string;
  share_url: string;
}

export const shares = (access: Access, session: string): Promise<Share[]> => every(access, `/api/sessions/${session}/shares`);
export const revoke = (access: Access, session: string, id: string): Promise<null> => access.ask("DELETE", `/api/sessions/${session}/share/${id}`);

/** `password`: "" for none. */
export function share(access: Access, session: string, hours: number, password: string): Promise<Made> {
  return access.ask("POST", `/api/sessions/${session}/share`, { expires_in_hours: hours, ...(password ? { password } : {}) });
}
