package org.tokentune.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tokentune.BadInputException;

/** Calls every public constructor and static method of the libraries with null for each object. */
class NullArgumentsTest {

  /** Commands and what only other modules of this project call, not users. */
  private static final Set<String> OTHERS =
      Set.of("org.tokentune.cli", "org.tokentune.bench", "org.tokentune.testing");

  /** What libraries pass to each other: readers of files, and results that users are given. */
  private static final Set<String> MACHINERY =
      Set.of(
          "ConfigReader",
          "CompanionFiles",
          "KnownFields",
          "TokenizerConfig",
          "AddedToken",
          "GenerationConfig",
          "RegexGuard",
          "Vocabulary",
          "SpecialTokens",
          "JdkVectorLoops", // which needs an incubating module
          "BytePair",
          "SentencePiece",
          "Unigram",
          "WordPiece",
          "OnnxWeights",
          "TokenizerSource",
          "Json",
          "WeightSource",
          "Digest",
          "ModelWriter",
          "Storage",
          "WholeFile",
          "RunFolder",
          "BertFamily",
          "LayerNames",
          "TextHead",
          "VocabularyHead",
          "PlanMemory",
          "Part",
          "BadDataException",
          "BadFileException",
          "BadInputException",
          "BadSettingsException",
          "Printable",
          "Warnings",
          "Scores",
          "EvaluationResult",
          "StepReport",
          "Outcome",
          "Result",
          "Word",
          "Prediction",
          "Generation",
          "StepMemoryReport",
          "Position",
          "LabelRange",
          "TokenizerJson",
          "Tokens",
          "Pair",
          "ModelGraph",
          "FineTuningListener",
          "DownloadListener",
          "Objective",
          "ParameterOptimizer",
          "BlockFormat",
          "Nf4",
          "Row",
          "ShapeOnlyArray",
          "StepInputs",
          "TokenSelection",
          "Size");

  @Test
  void areRefusedByName() throws ReflectiveOperationException {
    List<String> wrong = new ArrayList<>();
    int refused = 0;
    int taken = 0;
    for (JavaClass type :
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("org.tokentune")) {
      boolean ours =
          type.getModifiers().contains(JavaModifier.PUBLIC)
              && !type.getPackageName().contains(".internal")
              && !OTHERS.contains(type.getPackageName())
              && !MACHINERY.contains(type.getSimpleName());
      for (Executable call : ours ? calls(type.reflect()) : List.<Executable>of()) {
        Throwable thrown = thrown(call);
        if (thrown == null) {
          taken++;
        } else if (thrown instanceof BadInputException
            || (type.getPackageName().equals("org.tokentune.chat")
                && thrown instanceof NullPointerException
                && thrown.getMessage().matches("[a-z]\\w*"))) { // it knows none of our exceptions
          refused++;
        } else {
          wrong.add(call + ": " + thrown);
        }
      }
    }
    System.out.printf("%d calls with null refused, %d taken%n", refused, taken);
    assertTrue(refused > 150, "too few calls were found");
    assertEquals(List.of(), wrong, () -> String.join(System.lineSeparator(), wrong));
  }

  private static List<Executable> calls(Class<?> type) {
    Stream<Executable> constructors =
        Modifier.isAbstract(type.getModifiers())
            ? Stream.empty()
            : Arrays.stream(type.getConstructors());
    Stream<Executable> methods =
        Arrays.stream(type.getDeclaredMethods())
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .filter(method -> Modifier.isStatic(method.getModifiers()))
            .filter(method -> !method.getName().equals("valueOf")) // of enums
            .map(method -> (Executable) method);
    return Stream.concat(constructors, methods)
        .filter(call -> !call.isSynthetic())
        .filter(
            call -> Arrays.stream(call.getParameterTypes()).anyMatch(each -> !each.isPrimitive()))
        .toList();
  }

  private static Throwable thrown(Executable call) throws ReflectiveOperationException {
    Object[] arguments =
        Arrays.stream(call.getParameterTypes()).map(NullArgumentsTest::argument).toArray();
    try {
      if (call instanceof Constructor<?> constructor) {
        constructor.newInstance(arguments);
      } else {
        ((Method) call).invoke(null, arguments);
      }
      return null;
    } catch (InvocationTargetException e) {
      return e.getCause();
    }
  }

  private static Object argument(Class<?> type) {
    if (!type.isPrimitive()) {
      return null;
    }
    if (type == boolean.class) {
      return true;
    }
    if (type == double.class) {
      return 0.5;
    }
    return type == long.class ? (Object) 1L : (Object) 1;
  }
}
