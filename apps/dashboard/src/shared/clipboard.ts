/** Copies text. Pages on plain http beyond loopback have no clipboard, so an old way follows; false when both fail. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const host = document.querySelector('dialog[open]') ?? document.body;
  const before = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'vh';
  host.append(area);
  area.select();
  // Deprecated, and the only way without a secure context.
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
