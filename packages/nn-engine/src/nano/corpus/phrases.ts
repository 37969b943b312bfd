/** Alternatives that many patterns share. Each is one group of the grammar in `expand.ts`. */

export const howDoI = '{how do i|how can i|how to|how would i|how do you|how could i|whats the way to}';
export const iWant = '{i want to|i would like to|id like to|i need to|i wanna|im trying to|help me}';
export const canI = '{can i|could i|may i|is it possible to|is there a way to|am i able to}';
export const whatIs = '{what is|whats|what exactly is}';
export const tellMe = '{tell me|explain|please explain|can you tell me|i want to know|can you explain|do you know}';
export const someone = '{a friend|my friend|someone|somebody|a colleague|my sister|my brother|other people}';
