package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class WordsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "train; --task; classify, multilabel, regress, token, qa, embed, rerank, mlm, lm, instruct, chat, dpo",
        "train; --pooling; first, mean, last",
        "train; --schedule; linear, constant, cosine, cosine_with_restarts, polynomial, inverse_sqrt, step, reduce_lr_on_plateau",
        "train; --optimizer; adamw, sgd, adafactor, lion, adamw8bit",
        "train; --weights; float32, bf16, f16, nf4, int8, file",
        "train; --checkpoint; nothing, elementwise, attention, blocks",
        "train; --activations; float32, bf16, f16",
        "train; --on-nan; stop, skip",
        "memory; --task; classify, multilabel, regress, token, qa, embed, rerank, mlm, lm, instruct, chat, dpo",
        "memory; --full; float32, bf16",
        "evaluate --model x --data x; --task; mlm, lm, instruct, chat, dpo, multiple-choice",
        "bench; --shape; small, long, base, llama, llama-long, bert-512, llama-2048, llama-4096"
      })
  void readsWordsInUpperAndLowerCase(String start, String name, String words) {
    CommandLine commands = TokenTune.commands();
    List<String> arguments = List.of(start.split(" ", -1));
    OptionSpec option =
        commands.getSubcommands().get(arguments.get(0)).getCommandSpec().findOption(name);
    assertEquals(
        words,
        String.join(
            ", ",
            StreamSupport.stream(option.completionCandidates().spliterator(), false).toList()));
    for (String word : words.split(", ", -1)) {
      for (String written : List.of(word, word.toUpperCase(Locale.ROOT))) {
        Stream<String> all = Stream.concat(arguments.stream(), Stream.of(name, written));
        commands.parseArgs(all.toArray(String[]::new));
        assertTrue(option.getValue().toString().contains(word), written);
      }
    }
  }

  @Test
  void listsTheWords() {
    Run run = Run.of("train", "--optimizer", "adam");
    assertEquals(2, run.code());
    assertTrue(
        run.printed()
            .contains("expected one of [adamw, sgd, adafactor, lion, adamw8bit] but was 'adam'"),
        run.printed());
  }
}
