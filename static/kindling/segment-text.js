// Translates a description of an audience into rules, and writes them into the text of the builder beside it.
const start = (box) => {
  const input = box.querySelector("input");
  const button = box.querySelector("button");
  const told = box.querySelector(".describe-told");
  const text = box.closest("[data-segment-rules]").querySelector("textarea[data-rules]");

  const tell = (explanation) => {
    told.textContent = explanation;
    told.hidden = false;
  };

  const ask = async () => {
    const description = input.value.trim();
    if (!description) return;
    button.disabled = true;
    try {
      const response = await fetch(box.dataset.describe, {
        method: "POST",
        body: new URLSearchParams({ description }),
        headers: { "X-CSRFToken": text.form.elements.csrfmiddlewaretoken.value },
      });
      const { rules, explanation } = await response.json();
      tell(explanation);
      if (rules) {
        text.value = JSON.stringify(rules, null, 2);
        text.dispatchEvent(new Event("input", { bubbles: true }));
      }
    } catch {
      tell(box.dataset.failed);
    }
    button.disabled = false;
  };

  button.addEventListener("click", ask);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form itself saves the segment
    ask();
  });
};

document.querySelectorAll("[data-describe]").forEach(start);
