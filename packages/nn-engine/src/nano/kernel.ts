/** A matrix of `rows` × `columns` float32, ready to be multiplied; each row is one output. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major; fill it before the first use. */
  readonly values: Float32Array;
}

/** What the decoder computes with. Vectors must come from the same kernel's `vector`. */
export interface Kernel {
  readonly name: 'wasm-simd' | 'loops';
  vector(size: number): Float32Array;
  /** Columns must be a multiple of 16. */
  matrix(rows: number, columns: number): Matrix;
  /** output[r] = Σ matrix[r][c] · input[c]. */
  multiply(matrix: Matrix, input: Float32Array, output: Float32Array): void;
}

/** Plain loops with four running sums: works everywhere, and is what the fast kernel is checked against. */
export function loopKernel(): Kernel {
  return {
    name: 'loops',
    vector: (size) => new Float32Array(size),
    matrix: (rows, columns) => ({ rows, columns, values: new Float32Array(rows * columns) }),
    multiply({ rows, columns, values }, input, output) {
      for (let row = 0; row < rows; row += 1) {
        let [first, second, third, fourth] = [0, 0, 0, 0];
        const start = row * columns;
        for (let column = 0; column < columns; column += 4) {
          const place = start + column;
          first += (values[place] as number) * (input[column] as number);
          second += (values[place + 1] as number) * (input[column + 1] as number);
          third += (values[place + 2] as number) * (input[column + 2] as number);
          fourth += (values[place + 3] as number) * (input[column + 3] as number);
        }
        output[row] = first + second + third + fourth;
      }
    },
  };
}
