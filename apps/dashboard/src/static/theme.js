// Before the first paint: nothing flashes.
try {
  const theme = localStorage.getItem('peerai.theme');
  if (/^(light|dark)$/.test(theme)) document.documentElement.dataset.theme = theme;
} catch {
  // No storage
}
