// Before the first paint, so that nothing flashes. The switch itself is in the page.
try {
  const theme = localStorage.getItem('peerai.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage here: the system's theme holds.
}
