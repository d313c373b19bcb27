// A text area for code: line numbers, Tab indents, Enter keeps the indentation.
const INDENT = "  ";

const indentationOf = (text, at) => text.slice(text.lastIndexOf("\n", at - 1) + 1, at).match(/^[ \t]*/)[0];

export class Code {
  constructor(root) {
    this.text = root.querySelector("textarea");
    this.lines = root.querySelector("[data-lines]");
    this.leaving = false;
    this.wrong = 0;
    this.text.setAttribute("aria-describedby", root.querySelector(".code-hint").id);
    this.text.addEventListener("input", () => this.number());
    this.text.addEventListener("scroll", () => (this.lines.scrollTop = this.text.scrollTop));
    this.text.addEventListener("keydown", (event) => this.press(event));
    this.text.addEventListener("blur", () => (this.leaving = false));
    new ResizeObserver(() => (this.lines.style.height = `${this.text.clientHeight}px`)).observe(this.text);
    this.number();
  }

  number() {
    const count = this.text.value.split("\n").length;
    if (this.lines.childElementCount !== count) {
      this.lines.replaceChildren(...Array.from({ length: count }, (_, place) => {
        const line = document.createElement("span");
        line.textContent = place + 1;
        return line;
      }));
    }
    [...this.lines.children].forEach((line, place) => line.classList.toggle("is-wrong", place + 1 === this.wrong));
    this.lines.scrollTop = this.text.scrollTop;
  }

  mark(line) {
    this.wrong = line || 0;
    this.number();
  }

  press(event) {
    const isTab = event.key === "Tab" && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (isTab && !this.leaving) {
      event.preventDefault();
      event.shiftKey ? this.outdent() : this.write(INDENT);
    } else if (event.key === "Enter" && !event.isComposing) {
      const indentation = indentationOf(this.text.value, this.text.selectionStart);
      if (indentation) {
        event.preventDefault();
        this.write(`\n${indentation}`);
      }
    }
    this.leaving = event.key === "Escape" || (this.leaving && event.key === "Shift");
  }

  outdent() {
    const { value, selectionStart: at } = this.text;
    const start = value.lastIndexOf("\n", at - 1) + 1;
    if (!value.startsWith(INDENT, start)) return;
    this.text.setRangeText("", start, start + INDENT.length, "preserve");
    this.changed();
  }

  // Use the browser's own command if it has one, so that Ctrl+Z undoes the change.
  write(words) {
    this.text.focus();
    if (!document.execCommand("insertText", false, words)) {
      this.text.setRangeText(words, this.text.selectionStart, this.text.selectionEnd, "end");
      this.changed();
    }
  }

  become(words) {
    this.text.value = words;
    this.changed();
  }

  changed() {
    this.text.dispatchEvent(new Event("input", { bubbles: true }));
  }
}
