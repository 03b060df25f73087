package org.tokentune.datasets;

import static org.tokentune.Arguments.required;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.tokentune.BadDataException;
import org.tokentune.BadInputException;
import org.tokentune.Warnings;

/**
 * Instructions with answers, in any format of {@link RowSource}: columns {@code instruction},
 * {@code input} (which may be missing) and {@code output}. JSON may also have them as self-instruct
 * does (Wang et al., 2023): {@code instruction} and {@code instances}, a list of objects with
 * {@code input} and {@code output}.
 */
public final class Instructions {

  private static final String WANTED =
      "an instruction has the texts instruction, input (which may be missing) and output";

  private Instructions() {}

  /** An instruction, an input, which may be empty, and the answer to learn. */
  public record Instruction(String instruction, String input, String output) {

    public Instruction {
      required(instruction, "instruction");
      required(input, "input");
      required(output, "output");
    }
  }

  /**
   * Reads a whole file.
   *
   * @throws BadInputException if it is missing or empty, or a row is not an instruction
   */
  public static List<Instruction> read(Path file) {
    required(file, "file");

    return RowSource.read(file, "instructions", new Reader());
  }

  /** Makes instructions of rows. */
  static final class Reader implements RowReader<Instruction> {

    @Override
    public void header(List<String> columns, String file) {
      for (String column : List.of("instruction", "output")) {
        if (!columns.contains(column)) {
          throw hasNoText(column, columns, file);
        }
      }
    }

    @Override
    public void row(Row row, List<Instruction> instructions) {
      String instruction = text(row::value, "instruction", row.columns(), row);
      for (String column : List.of("system", "history")) {
        Object value = row.value(column);
        if ((value instanceof List<?> list && !list.isEmpty())
            || (value instanceof Map<?, ?> map && !map.isEmpty())
            || (value instanceof String text && !text.isBlank())) {
          Warnings.warn("Some instructions have %s, which is not part of their prompts.", column);
        }
      }
      if (!(row.value("instances") instanceof List<?> instances)) {
        instructions.add(instruction(instruction, row::value, row.columns(), row));
        return;
      }
      for (Object instance : instances) {
        Map<?, ?> fields = instance instanceof Map<?, ?> map ? map : Map.of();
        List<String> names = Row.strings(List.copyOf(fields.keySet()));
        instructions.add(instruction(instruction, fields::get, names, row));
      }
    }

    private static Instruction instruction(
        String instruction, Function<String, Object> fields, List<String> names, Row row) {
      return new Instruction(
          instruction,
          fields.apply("input") == null ? "" : text(fields, "input", names, row),
          text(fields, "output", names, row));
    }

    private static String text(
        Function<String, Object> fields, String name, List<String> names, Row row) {
      if (fields.apply(name) instanceof String text) {
        return text;
      }
      row.rejectChat("an instruction; " + WANTED);
      throw hasNoText(name, names, row.position());
    }

    private static BadInputException hasNoText(String name, List<String> names, String origin) {
      return new BadDataException(
          "%s has no text %s; %s. Its fields are %s.", origin, name, WANTED, Labels.shown(names));
    }
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
