// Shows the server's own OpenAPI document. Nothing is asked of other hosts.

const place = document.getElementById("docs");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

// As the page is: as somebody chose, and else as the system has it.
function follow() {
  const { theme } = document.documentElement.dataset;
  document.documentElement.classList.toggle("dark-mode", theme === "dark" || (theme === "system" && dark.matches));
}

follow();
dark.addEventListener("change", follow);

SwaggerUIBundle({
  domNode: place,
  url: place.dataset.url,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: "list",
  tryItOutEnabled: true,
  validatorUrl: null,
});
