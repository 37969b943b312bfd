/** How long a browser may take to begin with a download, milliseconds; then the bytes are given back. */
const heldMs = 60_000;

/** Hands bytes to the browser to be saved, as a link to them would: the agent's own address of them needs a key, which no link may carry. */
export function saveAs(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), heldMs);
}
