// The preview beside the template: requested a moment after the last key, shown on a desktop or phone, in dark mode, or as plain text.
const WAIT_MS = 350;
const DESKTOP = 720; // pixels: below that width, messages use their layout for phones
const NEW_TAB = '<base target="_blank">'; // at the end: before the doctype it would change how the message looks
const DARK = "<style>img,video,[background]{filter:invert(1) hue-rotate(180deg)}</style>";
const ICONS = { error: "error", warning: "warning" };

export class Preview {
  // `post(url, more)` sends the template; `wrong(part, line)` receives the place of an error.
  constructor(pane, { post, wrong }) {
    this.pane = pane;
    this.post = post;
    this.wrong = wrong;
    this.variables = {};
    this.seen = null;
    this.timer = 0;
    this.asked = 0;
    this.customer = pane.querySelector("[name=customer]");
    this.stage = this.find("stage");
    new ResizeObserver(() => this.fit()).observe(this.stage);
    django.jQuery(this.customer).on("change", () => this.look()); // select2 notifies only jQuery
    pane.querySelectorAll("[data-tab]").forEach((tab) => tab.addEventListener("click", () => this.show(tab.dataset.tab)));
    this.find("again").addEventListener("click", () => this.look());
    this.find("check-links").addEventListener("click", () => this.checkLinks());
    this.find("test").addEventListener("submit", (event) => this.sendTest(event));
  }

  find(name) {
    return this.pane.querySelector(`[data-${name}]`);
  }

  lookSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), WAIT_MS);
  }

  async look() {
    const turn = ++this.asked;
    const seen = await this.post(this.pane.dataset.previewUrl, { customer: this.customer.value });
    if (turn !== this.asked) return; // a newer request is pending
    const error = this.find("error");
    error.hidden = !seen.error;
    error.querySelector("[data-text]").textContent = seen.error || "";
    this.wrong(seen.part, seen.line);
    this.pane.classList.toggle("is-stale", Boolean(seen.error));
    if (seen.error) return;
    this.seen = seen;
    this.variables = seen.variables;
    this.find("subject").textContent = seen.subject;
    this.find("preheader").textContent = seen.preheader;
    this.find("person").textContent = this.customer.value ? "" : seen.customer;
    this.find("plain").textContent = seen.link ? `${seen.text}\n\n→ ${seen.link}` : seen.text;
    this.find("size").textContent = this.sizeOf(seen);
    this.tell(seen.findings);
    this.draw();
  }

  sizeOf({ html, sms }) {
    if (sms) return `${this.pane.dataset.segments} ${sms.segments} (${sms.encoding}, ${sms.units})`;
    return html ? `${Math.ceil(new Blob([html]).size / 1024)} KB` : "";
  }

  tell(findings) {
    this.find("findings").replaceChildren(...findings.map(({ level, message }) => {
      const line = document.createElement("li");
      line.className = `is-${level}`;
      const icon = Object.assign(document.createElement("span"), { className: "material-symbols-outlined", textContent: ICONS[level] });
      icon.setAttribute("aria-label", level);
      line.append(icon, message);
      return line;
    }));
    this.find("clean").hidden = findings.length > 0;
  }

  show(name) {
    this.pane.querySelectorAll("[data-tab]").forEach((tab) => tab.setAttribute("aria-selected", tab.dataset.tab === name));
    this.stage.dataset.shows = name;
    this.draw();
  }

  draw() {
    if (!this.seen) return;
    const hasHtml = Boolean(this.seen.html);
    this.pane.querySelectorAll("[data-tab]:not([data-tab=text])").forEach((tab) => (tab.hidden = !hasHtml));
    if (!hasHtml && this.stage.dataset.shows !== "text") return this.show("text");
    const hasDarkStyles = /prefers-color-scheme\s*:\s*dark/i.test(this.seen.html);
    const isDark = this.stage.dataset.shows === "dark";
    const frame = this.find("html");
    frame.classList.toggle("is-dark", isDark && hasDarkStyles);
    frame.classList.toggle("is-inverted", isDark && !hasDarkStyles);
    const page = this.seen.html + NEW_TAB + (isDark && !hasDarkStyles ? DARK : "");
    if (frame.srcdoc !== page) frame.srcdoc = page;
    this.fit();
  }

  // The desktop preview always has its full width; if there is no room, it is scaled down.
  fit() {
    const scale = this.stage.dataset.shows === "phone" ? 1 : Math.min(1, this.stage.clientWidth / DESKTOP);
    this.stage.style.setProperty("--scale", scale);
  }

  async checkLinks() {
    const said = this.find("links-said");
    said.textContent = "…";
    const answer = await this.post(this.pane.dataset.linksUrl);
    said.textContent = answer.error || answer.message;
    if (answer.findings?.length) this.tell([...(this.seen?.findings ?? []), ...answer.findings]);
  }

  async sendTest(event) {
    event.preventDefault();
    const { to, sender } = event.target.elements;
    const said = this.find("said");
    said.textContent = "…";
    const customer = this.customer.value || this.seen?.customer_id || "";
    const answer = await this.post(this.pane.dataset.testUrl, { customer, to: to.value, sender: sender.value });
    said.textContent = answer.message || answer.error;
    said.classList.toggle("failed", Boolean(answer.error));
  }
}
