// The undo history. States are texts; consecutive states with the same mark (one stretch of typing) are one step.

export class History {
  #states;
  #now = 0;
  #mark = null;

  constructor(state) {
    this.#states = [state];
  }

  get canUndo() {
    return this.#now > 0;
  }

  get canRedo() {
    return this.#now < this.#states.length - 1;
  }

  push(state, mark = null) {
    if (state === this.#states[this.#now]) return;
    if (mark === null || mark !== this.#mark || this.canRedo) this.#now += 1;
    this.#mark = mark;
    this.#states.splice(this.#now, Infinity, state);
  }

  undo() {
    return this.#step(-1);
  }

  redo() {
    return this.#step(1);
  }

  #step(by) {
    this.#mark = null;
    this.#now = Math.min(Math.max(this.#now + by, 0), this.#states.length - 1);
    return this.#states[this.#now];
  }
}
