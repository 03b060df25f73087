package org.tokentune.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where vectors are used. */
class VirtualMachineTest {

  private static final Map<String, String> USUAL =
      Map.of("UseFMA", "true", "TieredStopAtLevel", "4", "UseJVMCICompiler", "false");

  @Test
  void asUsual() {
    assertTrue(VirtualMachine.compilesVectors(name -> USUAL.getOrDefault(name, "")));
    assertTrue(VirtualMachine.compilesVectors(), "the tests' own Java");
  }

  /** GraalVM's compiler, as development tools start programs, an old processor, another machine. */
  @ParameterizedTest
  @CsvSource({"UseJVMCICompiler, true", "TieredStopAtLevel, 1", "UseFMA, false", "UseFMA, ''"})
  void notWhereTheyAreSlow(String name, String value) {
    Map<String, String> options = new HashMap<>(USUAL);
    options.put(name, value);
    assertFalse(VirtualMachine.compilesVectors(option -> options.getOrDefault(option, "")));
    System.out.println("no vectors with " + name + " = " + value);
  }
}
