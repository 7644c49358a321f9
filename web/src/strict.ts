/**
 * The SDK checks events with zod, which likes to compile its checks: no page with a strict policy may do that. Imported before
 * anything that makes such a check.
 */
import { config } from "zod";

config({ jitless: true });
