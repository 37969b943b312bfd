import { encode } from 'uqr';

export interface QrPicture {
  /** Modules a side, the quiet zone of 4 included. */
  readonly size: number;
  /** One SVG path of unit squares. */
  readonly path: string;
}

/** A QR code (ISO/IEC 18004, lowest error correction: it is read from a screen). Throws for more than 2,953 bytes. */
export function qrPicture(text: string): QrPicture {
  const { data, size } = encode(text, { ecc: 'L', border: 4 });
  let path = '';
  data.forEach((row, y) => {
    for (let x = 0; x < size; x += 1) {
      if (row[x] !== true) continue;
      const from = x;
      while (x + 1 < size && row[x + 1] === true) x += 1;
      path += `M${from} ${y}h${x - from + 1}v1h-${x - from + 1}z`;
    }
  });
  return { size, path };
}
