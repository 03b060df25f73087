package org.tokentune.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * Instructions with answers: JSON objects, one a line or all in an array, with {@code instruction},
 * {@code input} (which may be missing) and {@code output}, or, as self-instruct has it (Wang et
 * al., 2023), with {@code instruction} and {@code instances}, a list of objects with {@code input}
 * and {@code output}.
 */
public final class Instructions {

  private static final String WANTED =
      "an instruction has the texts instruction, input (which may be missing) and output";

  private Instructions() {}

  /** An instruction, an input, which may be empty, and the answer to learn. */
  public record Instruction(String instruction, String input, String output) {}

  /**
   * Reads all of a file.
   *
   * @throws BadInputException if it is missing or empty, or holds anything else
   */
  public static List<Instruction> read(Path file) {
    return JsonRows.read(file, "instructions", Instructions::add);
  }

  /**
   * Reads a part of a file; it may be empty.
   *
   * @throws BadInputException if a line is no such object
   */
  static List<Instruction> read(TextChunks.Chunk chunk) {
    return JsonRows.read(chunk, Instructions::add);
  }

  private static void add(JsonNode object, String where, List<Instruction> instructions) {
    String instruction = text(object, "instruction", where);
    for (String field : List.of("system", "history")) {
      JsonNode value = object.path(field);
      if (!value.isEmpty() || (value.isTextual() && !value.textValue().isBlank())) {
        Warnings.warn("Some instructions have %s, which is not part of their prompts.", field);
      }
    }
    if (!object.path("instances").isArray()) {
      instructions.add(instruction(instruction, object, where));
    }
    for (JsonNode instance : object.path("instances")) {
      instructions.add(instruction(instruction, instance, where));
    }
  }

  private static Instruction instruction(String instruction, JsonNode rest, String where) {
    JsonNode input = rest.path("input");
    return new Instruction(
        instruction,
        input.isMissingNode() || input.isNull() ? "" : text(rest, "input", where),
        text(rest, "output", where));
  }

  private static String text(JsonNode node, String field, String where) {
    if (!node.path(field).isTextual()) {
      JsonRows.refuseChat(node, where, "an instruction; " + WANTED);
      throw new BadDataException(
          "%s has no text %s; %s. Its fields are %s.",
          where, field, WANTED, Labels.shown(JsonRows.fields(node)));
    }
    return node.path(field).asText();
  }

  /**
   * Rows of a file, as {@link #rows(List, PromptTemplate, TextTokenizer, int)} makes them of a
   * list.
   *
   * @throws BadInputException if it is missing or empty, holds anything else, or all are left out
   */
  public static List<TokenBatches.Row> rows(
      Path file, PromptTemplate template, TextTokenizer tokenizer, int longest) {
    return rows(file + ": ", read(file), template, tokenizer, longest);
  }

  /**
   * Rows for a causal language model: what the tokenizer puts before a text, the prompt, the answer
   * and the end of the text. Only the answer and the end are labels.
   *
   * <p>Those of whose answers nothing fits are left out, and a warning says how many they are.
   *
   * @param longest tokens to which rows are cut
   * @throws BadInputException if all are left out
   */
  public static List<TokenBatches.Row> rows(
      List<Instruction> instructions,
      PromptTemplate template,
      TextTokenizer tokenizer,
      int longest) {
    return rows("", instructions, template, tokenizer, longest);
  }

  private static List<TokenBatches.Row> rows(
      String origin,
      List<Instruction> instructions,
      PromptTemplate template,
      TextTokenizer tokenizer,
      int longest) {
    List<PromptedTokens> rows = tokens(instructions, template, tokenizer, longest);
    int all = instructions.size();
    if (rows.isEmpty()) {
      throw new BadDataException("%s%s; allow longer rows.", origin, leftOut(all, all, longest));
    }
    if (rows.size() < all) {
      Warnings.warn("%s%s.", origin, leftOut(all - rows.size(), all, longest));
    }
    return rows.stream().map(PromptedTokens::row).toList();
  }

  /** What is said of instructions that are left out. */
  static String leftOut(long some, long all, int longest) {
    return String.format(
        Locale.ROOT,
        "%,d of %,d instructions are left out: after their prompts, nothing of their answers fits into"
            + " %,d tokens",
        some,
        all,
        longest);
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
