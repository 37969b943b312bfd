/**
 * What a peer signs of a deterministic model's answer, so that a third one who has the same model asks it again and sees whether it is so.
 *
 * @packageDocumentation
 */
export { type AnsweredFacts, type Attest, attestAnswers } from './attest.ts';
export { type AnswerFile, decodeAnswerFile, encodeAnswerFile } from './answer-file.ts';
export { type AnswerCheck, type AnswerVerdict, checkAnswer } from './check.ts';
export { type AnswerStatement, openStatement } from './statement.ts';
