package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tokentune.BadInputException;

/**
 * Instructions with answers: a JSON object a line with {@code instruction}, {@code input} (which
 * may be missing) and {@code output}, or, as self-instruct has it (Wang et al., 2023), with {@code
 * instruction} and {@code instances}, a list of objects with {@code input} and {@code output}.
 */
public final class Instructions {

  private Instructions() {}

  /** An instruction, an input, which may be empty, and the answer to learn. */
  public record Instruction(String instruction, String input, String output) {}

  /**
   * Reads all of a file.
   *
   * @throws BadInputException if it is missing or empty, or a line is no such object
   */
  public static List<Instruction> read(Path file) {
    return JsonLines.read(file, "instructions", Instructions::add);
  }

  /**
   * Reads a part of a file; it may be empty.
   *
   * @throws BadInputException if a line is no such object
   */
  static List<Instruction> read(TextChunks.Chunk chunk) {
    return JsonLines.read(chunk, Instructions::add);
  }

  private static void add(JsonNode line, String where, List<Instruction> instructions) {
    String instruction = text(line, "instruction", where);
    if (!line.path("instances").isArray()) {
      instructions.add(instruction(instruction, line, where));
    }
    for (JsonNode instance : line.path("instances")) {
      instructions.add(instruction(instruction, instance, where));
    }
  }

  private static Instruction instruction(String instruction, JsonNode rest, String where) {
    return new Instruction(instruction, rest.path("input").asText(""), text(rest, "output", where));
  }

  private static String text(JsonNode node, String field, String where) {
    if (!node.path(field).isTextual()) {
      throw new BadInputException(
          "%s has no text %s; give it one, or remove the line.", where, field);
    }
    return node.path(field).asText();
  }

  /**
   * Rows for a causal language model: what the tokenizer puts before a text, the prompt, the answer
   * and the end of the text. Only the answer and the end are labels.
   *
   * @param longest tokens to which rows are cut; one of whose answer nothing is left is left out
   */
  public static List<TokenBatches.Row> rows(
      List<Instruction> instructions,
      PromptTemplate template,
      TextTokenizer tokenizer,
      int longest) {
    List<PromptedTokens> rows = tokens(instructions, template, tokenizer, longest);
    if (rows.isEmpty()) {
      throw new BadInputException(
          "No instruction leaves room for an answer in %d tokens; allow longer rows.", longest);
    }
    return rows.stream().map(PromptedTokens::row).toList();
  }

  /** The same as they are held in numbers; there may be none. */
  static List<PromptedTokens> tokens(
      List<Instruction> instructions,
      PromptTemplate template,
      TextTokenizer tokenizer,
      int longest) {
    List<PromptedTokens> rows = new ArrayList<>();
    for (Instruction each : instructions) {
      int[] prompt = tokenizer.encodePrompt(template.prompt(each.instruction(), each.input()));
      int[] end = tokenizer.ends().stream().limit(1).mapToInt(Integer::intValue).toArray();
      int[] ids = join(join(prompt, tokenizer.encodePiece(each.output())), end);
      if (prompt.length < Math.min(ids.length, longest)) {
        ids = Arrays.copyOf(ids, Math.min(ids.length, longest));
        rows.add(new PromptedTokens(ids, prompt.length));
      }
    }
    return rows;
  }

  private static int[] join(int[] a, int[] b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
