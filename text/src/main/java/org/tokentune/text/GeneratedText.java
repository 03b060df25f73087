package org.tokentune.text;

import org.tokentune.generate.Generation;

/**
 * A generated text.
 *
 * @param text without the prompt; it ends before a text that ended it
 * @param generation its tokens, and why it ended
 */
public record GeneratedText(String text, Generation generation) {}
