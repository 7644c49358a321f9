/** Something the person should know; `wrong` things want to be acted on. */
export interface Notice {
  tone: "info" | "wrong";
  text: string;
  /** What they can do about it: the same once more. */
  again?: () => void;
}
