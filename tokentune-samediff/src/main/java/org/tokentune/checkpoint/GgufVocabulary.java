package org.tokentune.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tokentune.BadInputException;
import org.tokentune.checkpoint.Vocabulary.PreTokenizer;
import org.tokentune.checkpoint.Vocabulary.SpecialTokens;
import org.tokentune.checkpoint.Vocabulary.TokenType;

/** The vocabulary in a GGUF file's metadata. */
record GgufVocabulary(GgufMetadata metadata) {

  private static final String KEYS = "tokenizer.ggml.";

  Vocabulary read() {
    String kind = metadata.text(KEYS + "model");
    List<String> tokens = metadata.list(KEYS + "tokens", String.class);
    List<TokenType> types = types(tokens.size());
    return switch (kind) {
      case "gpt2" -> {
        PreTokenizer pre = preTokenizer(metadata.text(KEYS + "pre", "gpt-2"));
        yield new Vocabulary.BytePair(
            tokens,
            types,
            special(pre == PreTokenizer.LLAMA3),
            metadata.list(KEYS + "merges", String.class),
            pre);
      }
      case "llama" ->
          new Vocabulary.SentencePiece(
              tokens,
              types,
              special(true),
              sized(metadata.list(KEYS + "scores", Double.class), tokens.size(), "scores"),
              metadata.flag(KEYS + "add_space_prefix", true));
      default ->
          throw new BadInputException(
              "%s has a tokenizer of the kind %.60s, which is not supported; gpt2 and llama are.",
              metadata.file(), kind);
    };
  }

  private List<TokenType> types(int tokens) {
    String key = KEYS + "token_type";
    if (!metadata.has(key)) {
      return Collections.nCopies(tokens, TokenType.NORMAL);
    }
    List<TokenType> types = new ArrayList<>();
    for (long type : sized(metadata.list(key, Long.class), tokens, "types")) {
      types.add(
          switch ((int) type) {
            case 2 -> TokenType.UNKNOWN;
            case 3 -> TokenType.CONTROL;
            case 4 -> TokenType.USER_DEFINED;
            case 5 -> TokenType.UNUSED;
            case 6 -> TokenType.BYTE;
            default -> TokenType.NORMAL;
          });
    }
    return types;
  }

  private <T> List<T> sized(List<T> list, int tokens, String what) {
    if (list.size() != tokens) {
      throw new BadInputException(
          "%s has %d tokens and %d %s of them; get it again.",
          metadata.file(), tokens, list.size(), what);
    }
    return list;
  }

  private SpecialTokens special(boolean addBegin) {
    return new SpecialTokens(
        id("bos"),
        id("eos"),
        id("unknown"),
        metadata.flag(KEYS + "add_bos_token", addBegin),
        metadata.flag(KEYS + "add_eos_token", false));
  }

  private Integer id(String name) {
    String key = KEYS + name + "_token_id";
    return metadata.has(key) ? metadata.count(key) : null;
  }

  /** llama.cpp's names of rules. */
  private PreTokenizer preTokenizer(String name) {
    return switch (name) {
      case "gpt-2", "phi-2", "olmo" -> PreTokenizer.GPT2;
      case "smollm", "starcoder", "refact", "command-r", "codeshell" -> PreTokenizer.SMOLLM;
      case "llama-bpe", "llama3", "llama-v3", "smaug-bpe", "dbrx" -> PreTokenizer.LLAMA3;
      case "qwen2", "deepseek-r1-qwen" -> PreTokenizer.QWEN2;
      default ->
          throw new BadInputException(
              "%s cuts texts by the rule of %.60s, which is not supported; gpt-2, smollm, llama-bpe and"
                  + " qwen2 are.",
              metadata.file(), name);
    };
  }
}
