import { expect, test } from 'vitest';
import { decodeGraph } from './decode-graph.ts';
import { decodeOperators } from './decode-operators.ts';
import { languageModelLayout, type LanguageModelSizes } from './language-model.ts';

test('the operators are those of the decode graph, whatever its sizes', () => {
  const sizes: LanguageModelSizes = { vocabulary: 5, width: 8, layers: 2, heads: 2, hidden: 12, context: 4 };
  const model = decodeGraph(sizes, new Float32Array(languageModelLayout(sizes).size));
  const text = new TextDecoder('latin1').decode(model);
  // Field 4 of a node (tag 0x22) holds its operator.
  const named = [...text.matchAll(/"(.)([A-Z][A-Za-z]+)/gsu)]
    .filter(([, length = '', name = '']) => name.length >= length.charCodeAt(0))
    .map(([, length = '', name = '']) => name.slice(0, length.charCodeAt(0)));
  expect(decodeOperators()).toEqual([...new Set(named)].toSorted());
  expect(decodeOperators()).toContain('Softmax');
});
