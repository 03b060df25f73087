package org.tokentune.datasets;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import org.tokentune.formats.TokenizerSource;

/** All that a {@link TextTokenizer} is made of, for another machine to open it. */
public final class TokenizerRecipe implements Serializable {

  private static final long serialVersionUID = 1;

  private final byte[] json;
  private final byte[] whole;
  private final TextTokenizer.Use use;
  private final int longest;
  private final boolean cut;

  /**
   * @param json a {@code tokenizer.json}
   * @param whole the same with all special tokens; null if {@code json} has them
   */
  TokenizerRecipe(byte[] json, byte[] whole, TextTokenizer.Use use, int longest, boolean cut) {
    this.json = json;
    this.whole = whole;
    this.use = use;
    this.longest = longest;
    this.cut = cut;
  }

  /** Opens the tokenizer. */
  public TextTokenizer open() {
    return new TextTokenizer(tree(json), whole == null ? null : tree(whole), use, longest, cut);
  }

  private ObjectNode tree(byte[] file) {
    return TokenizerJson.tree(new TokenizerSource.Json(file), use.origin());
  }
}
