/** What is heard of both sides: the person above the line, the reply below it, the last seconds from right to left. */

import { useEffect, useRef } from "preact/hooks";

import type { Call } from "../talk/call.ts";

export function Meter({ call }: { call: Call }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const running = call.state.value.name === "live";
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const painter = new Painter(element);
    if (!running) return painter.clear();
    let frame = 0;
    let last = 0;
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const step = (now: number) => {
      frame = requestAnimationFrame(step);
      const { you, relay } = call.levels();
      if (now - last < STEP_MS) return;
      last = now;
      painter.push(you, relay);
      // Without motion: the two levels of now, and nothing that wanders.
      painter.paint(calm.matches);
    };
    frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }, [running]);
  return <canvas class="meter" ref={canvas} aria-hidden="true" data-testid="meter" />;
}

class Painter {
  readonly #canvas: HTMLCanvasElement;
  readonly #bars: [number, number][] = [];

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  push(you: number, relay: number): void {
    this.#bars.push([you, relay]);
    if (this.#bars.length > MOST) this.#bars.shift();
    this.#canvas.dataset["you"] = you.toFixed(2);
    this.#canvas.dataset["relay"] = relay.toFixed(2);
  }

  clear(): void {
    this.#canvas.getContext("2d")?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  paint(still: boolean): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const sharp = devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(clientWidth * sharp)) {
      this.#canvas.width = Math.round(clientWidth * sharp);
      this.#canvas.height = Math.round(clientHeight * sharp);
    }
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    const style = getComputedStyle(this.#canvas);
    const colours = [style.getPropertyValue("--you"), style.getPropertyValue("--relay")] as const;
    const middle = clientHeight / 2;
    const count = Math.floor(clientWidth / PITCH);
    const now = this.#bars.at(-1) ?? [0, 0];
    for (let index = 0; index < count; index++) {
      const at = this.#bars.length - count + index;
      const [you, relay] = still ? now : (this.#bars[at] ?? [0, 0]);
      const x = index * PITCH;
      // Fades into the past.
      context.globalAlpha = still ? 0.8 : 0.15 + (0.85 * index) / count;
      for (const [side, level] of [you, relay].entries()) {
        const height = Math.max(1, level * (middle - 2));
        context.fillStyle = colours[side] as string;
        context.beginPath();
        context.roundRect(x, side === 0 ? middle - 0.5 - height : middle + 0.5, WIDTH, height, 1.5);
        context.fill();
      }
    }
  }
}

const STEP_MS = 33;
const WIDTH = 3;
const PITCH = 5;
const MOST = 400;
