//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// vectorTiers returns those whose instructions this machine has, and why others are not
// there. Every machine with the population count of the wide tier has the rest of it.
func vectorTiers() (list []tier, absent []absentTier) {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA {
		return nil, []absentTier{{"avx2", noAVX2}, {"avx512", noAVX512}, {"amx", noAVX512}}
	}
	list = append(list, tier{"avx2", "avx2", functions{
		mulBits:       mulAVX2.mulBits,
		largest:       largestAVX2,
		wholeRow:      wholeRowAVX2,
		mulReal:       realAVX2.mulReal,
		drawBlock:     drawBlockVector(16, drawBlock16AVX2, nil),
		skip:          skipVector(skipAVX2),
		transposeBits: transposeBitsVector,
		countDiff:     countDiffVector(false),
		drawCounts:    drawCountsVector(16, drawCounts16AVX2, nil),
		transpose:     transposeVector,
		adam:          adamAVX2,
		hyperAdam:     hyperAdamVector(hyperAdamAVX2),
		rmsProp:       rmsPropAVX2,

		edges: [2]edgeFunctions{
			{couplingsNearAVX2, constantNearAVX2, slopesNearAVX2, plainNearAVX2},
			{couplingsFarAVX2, constantFarAVX2, slopesFarAVX2, plainFarAVX2},
		},
		plainEdgeSlopes: plainEdgeSlopesAVX2,

		affine:          affineAVX2,
		affineFloor:     affineFloorAVX2,
		sum:             sumAVX2,
		addRows:         addRowsAVX2,
		biases:          biasesAVX2,
		free:            freeAVX2,
		fieldSums:       fieldSumsAVX2,
		synapseGradient: synapseGradientAVX2,

		wholeFunctions: wholeFunctions{roundPairsVector(roundPairsAVX2), roundRowVector(roundRowAVX2), wholeAVX2.mul},
		joinFunctions:  joinFunctions{dotAVX2, centreAVX2, joinFieldsAVX2, joinGradientAVX2},

		tanh:            tanhAVX2,
		addLog2Cosh:     addLog2CoshAVX2,
		addLog2CoshStep: addLog2CoshStepAVX2,
		gaussMoments:    gaussMomentsAVX2,
		gaussLog2Cosh:   gaussLog2CoshAVX2,

		gaussMomentsAlike: gaussMomentsAlikeAVX2,

		oneHotMeans:   oneHotMeansAVX2,
		oneHotMoments: oneHotMomentsAVX2,
		oneHotChoices: oneHotChoicesAVX2,
	}})
	if !x.HasBMI2 || !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512DQ || !x.HasAVX512VL || !x.HasAVX512VPOPCNTDQ || !x.HasAVX512VBMI2 || !x.HasAVX512VNNI {
		return list, []absentTier{{"avx512", noAVX512}, {"amx", noAVX512}}
	}
	list = append(list, tier{"avx512", "avx512", functions{
		mulBits:       mulAVX512.mulBits,
		tables:        mulBitsCoarseAVX512,
		largest:       largestAVX512,
		wholeRow:      wholeRowAVX2,
		mulReal:       mulRealAVX512,
		drawBlock:     drawBlockVector(32, drawBlock32AVX512, drawBlock64AVX512),
		skip:          skipVector(skipAVX512),
		transposeBits: transposeBitsVector,
		countDiff:     countDiffVector(true),
		drawCounts:    drawCountsVector(32, drawCounts32AVX512, drawCounts64AVX512),
		transpose:     transposeVector,
		adam:          adamAVX512,
		hyperAdam:     hyperAdamVector(hyperAdamAVX512),
		rmsProp:       rmsPropAVX512,

		edges: [2]edgeFunctions{
			{couplingsNearAVX512, constantNearAVX512, slopesNearAVX512, plainNearAVX512},
			{couplingsFarAVX512, constantFarAVX512, slopesFarAVX512, plainFarAVX512},
		},
		plainEdgeSlopes: plainEdgeSlopesAVX512,

		affine:          affineAVX512,
		affineFloor:     affineFloorAVX512,
		sum:             sumAVX512,
		addRows:         addRowsAVX512,
		biases:          biasesAVX512,
		free:            freeAVX512,
		fieldSums:       fieldSumsAVX512,
		synapseGradient: synapseGradientAVX512,

		wholeFunctions: wholeFunctions{roundPairsVector(roundPairsAVX512), roundRowVector(roundRowAVX512), wholeAVX512.mul},
		narrow:         byBytes{},
		joinFunctions:  joinFunctions{dotAVX512, centreAVX512, joinFieldsAVX512, joinGradientAVX512},

		tanh:            tanhAVX512,
		addLog2Cosh:     addLog2CoshAVX512,
		addLog2CoshStep: addLog2CoshStepAVX512,
		gaussMoments:    gaussMomentsAVX512,
		gaussLog2Cosh:   gaussLog2CoshAVX512,

		gaussMomentsAlike: gaussMomentsAlikeAVX512,

		oneHotMeans:   oneHotMeansAVX512,
		oneHotMoments: oneHotMomentsAVX512,
		oneHotChoices: oneHotChoicesAVX512,
	}})
	if why := noTiles(); why != "" {
		return list, []absentTier{{"amx", why}}
	}
	return append(list, amxTier(&list[1])), nil
}

const (
	noAVX2   = "the processor has no AVX2 and FMA"
	noAVX512 = "the processor has not all of AVX-512 that these kernels use (VPOPCNTDQ, VBMI2, VNNI)"
)
