package stream

// Labels name the streams below a key. Labels of one scope share their parents: keys
// of one purpose. This is the registry of all of them; a test holds that those of a
// scope differ, that they stay clear of its counters, and that no package has labels
// of its own. Their values never change, or the same seed would give other results.
//
// Counters (steps, epochs, restarts, blocks of chains) are labels too, and stand below
// a key that has no other labels or far fewer than Far.

// Far is the least label that may share a key with a counter.
const Far = 1 << 32

// Below the key of a seed: for a run of learning, and for work with its machine.
const (
	RunPictures    = 5
	RunLikelihood  = 6
	RunSynapses    = 8 // draws of the shipped machine
	RunStarts      = 9 // one below it for each start
	RunHeldOut     = 12
	RunValidation  = 14 // samples that are held out to validate on
	RunUncertainty = 13
	RunLabelled    = 16 // one below it for each draw of labelled samples
	RunStack       = 17 // one below it for each layer of a stack, for its draws
	RunRule        = 40 // a rule that is learned
	RunTasks       = 41 // tasks that are learned one after the other
)

// Below the key of tasks that are learned one after the other: for the data of the tasks, draws of the machine of an earlier one,
// and the likelihood of a machine.
const (
	TasksOrders = iota // one below it for each task
	TasksMixed
	TasksReplay
	TasksLikelihood
)

// Below the key of a layer of a stack.
const (
	StackDraws = iota
	StackValidation
	StackSome     // of its samples, on which two machines are compared
	StackCopy     // the likelihood of the machine below upside down
	StackLearned  // and of the one that was learned
	StackTogether // learning of all machines at once
	StackBefore   // the likelihood of the stack before it
	StackAfter    // and after it
	StackAlong    // and while they learn
)

// Below the key of a stack whose machines learn together: a key for each step.
const (
	TogetherDraws = iota // of the layers
	TogetherSynapses
)

// Below the key of models that people know, beside a machine.
const BaselineHeldOut = 1 // samples that choose among mixtures

// Below the key of a raster on a page: its chains have that key itself.
const RasterNetworks = 1

// Below the key of a rule that is learned. Each generation has a key below RuleGenerations.
const (
	RuleNet = iota
	RuleGenerations
)

// Below the key of a task that a rule is tried on.
const (
	TaskKind = iota
	TaskTeacher
	TaskData
	TaskThetas
	TaskStates
	TaskChains
	TaskBatches
	TaskScores
)

// Below the key of a generation: a key for each task and for each pair of rules.
const (
	GenerationTasks = iota
	GenerationPairs
)

// Below the key of one start of learning.
const (
	StartThetas = iota
	StartChainStates
	StartChains
	StartBatches
	StartBound
	StartPictures
	StartLikelihood
	StartDraws
	StartScores        = 10
	StartBoundInterval = 12
	StartValidation    = 13
	StartMeter         = 14
	StartSynapses      = 11 // of the kind that is drawn for each step
	StartAbove         = 15 // draws in the layers of a deep machine
	StartLevels        = 17 // spins drawn from grey levels, epoch by epoch
	StartAboveStates   = 16 // states of hidden layers that the chains of a deep machine start in
	StartLower         = 18 // draws in the machines of a stack that learn with the topmost one
)

// Below the key of draws of a deep machine's layers: steps, and the upper synapses.
const DeepStage = 1 << 40

// Below the key of the order of samples: epochs, the head of labels, and random fields of hidden units.
const (
	OrderHead   = 1 << 40
	OrderFields = 1 << 41
)

// Below the key of an epoch: samples that are taken by their weights.
const EpochWeighted = 0

// Below the key of chains, of annealing and of tempering. Tempered samples of a seed
// have their profile and their ensemble there, too.
const (
	ChainsStart = iota
	ChainsVisible
	ChainsHidden
	ChainsExchange
	ChainsRedraw
	ChainsRung
	ChainsSeen
	ChainsProfile  = 100
	ChainsTempered = 101
	ChainsWitness  = 0x7769746e // of whether others have settled
	ChainsScouts   = Far        // of the engine of persistent chains
	ChainsAbove    = 1 << 33    // hidden layers of a deep machine, where its chains start
	ChainsBelow    = 1 << 34    // layers of a stack below its topmost machine
	ChainsProbe    = 1 << 35    // scouts that join the chains of that engine only if they find heavy states
)

// Below the key of such a probe.
const (
	ProbeScattered = Far
	ProbeExtreme   = 1 << 33
	ProbeChains    = 1 << 34
)

// Below the key of a profile: its two pilot runs.
const (
	ProfileEqual = iota
	ProfileSpread
)

// Below the key of an estimate of the likelihood.
const (
	EstimateForward = iota
	EstimatePilot
	EstimateTempering
	EstimateReverse
	EstimateRAISE
	EstimateSamples
	EstimateBootstrap
	EstimateSearch
	EstimateModes
	EstimateData    // terms of a deep machine
	EstimateRedrawn // samples of grey levels: one below it for each draw
	EstimateKnown   // weights of samples with missing values: one below it for each block of samples
	EstimateDrawn   // samples drawn from a deep machine
)

// Below the key of samples drawn from a deep machine.
const (
	DrawnChains  = 1 << 34
	DrawnReverse = 1 << 35 // an annealing below it for each run
)

// Below the key of annealing with known units, in reverse.
const (
	KnownSettling = 1 << 32
	KnownReverse  = 1 << 33
)

// Below the key of the data terms of a deep machine, and of samples.
const (
	DataDraws     = 1 << 32
	DataAnnealing = 1 << 33
)

// Below the key of a temperature of the annealing of data terms.
const (
	HeldOdd = iota
	HeldEven
)

// Below the key of a bootstrap of annealed chains.
const (
	BootstrapTempered = 1
	BootstrapForward  = 3
	BootstrapReverse  = 4

	BootstrapAcceptance = 5
)

// Below the key of a search for heavy states.
const (
	SearchChains = iota
	SearchStarts
	SearchTempering
)

// Below the key of the modes of ensembles that stand apart. Each measured mode has a key
// below ModesMeasured.
const (
	ModesMeans = iota
	ModesMeasured
)

// Below the key of a mode that is measured.
const (
	ModeTrialStates = iota
	ModeTrial
	ModeStates
	ModePilot
	ModeForward
	ModeReverse
)

// Below the key of extreme states. A descent has a key for each sweep.
const (
	ExtremeHidden = iota
	ExtremeVisible
	ExtremeDescent
)

// Below the key of a sweep of a descent.
const (
	DescentHidden = iota
	DescentVisible
)

// Below the key of a machine that is drawn from a posterior.
const (
	UncertaintySynapses = iota
	UncertaintyLikelihood
)

// Below the key of the samples of an estimate.
const (
	SamplesScattered = iota
	SamplesRAISE
	SamplesStarts
)

// Below the key of samples that are mended.
const (
	MendNoise = iota
	MendChains
)

// Below the key of a trial.
const (
	TrialTeacher = iota
	TrialData
	TrialStudent
	TrialOracle
	TrialScores
	TrialReal
	TrialMessages  = 100
	TrialWalk      = 101
	TrialFromPrior = 200
)

// Below the key of a sequence of trials.
const (
	SequenceTeacher = 0
	SequenceTask    = 100
)

// Below the key of a student's start.
const (
	StudentThetas = iota
	StudentChainStates
	StudentChains
	StudentBatches
	StudentDraws = 7
)

// Below the key of a Bayes-optimal yardstick.
const (
	YardstickRandom = iota
	YardstickFromTeacher
	YardstickFromRandom
)

// Below the key of planted data.
const (
	PlantedMarginal = iota
	PlantedConditional
	PlantedChains
	PlantedMissing
)

// Below the key of a start of messages.
const MessagesGrowth = 1

// Below the key of a circuit of spiking neurons.
const (
	SpikesStart = iota
	SpikesVisibleWindows
	SpikesHiddenWindows
	SpikesVisible
	SpikesHidden
	SpikesCauses
	SpikesReference // of the circuit that it is compared with
	SpikesStates    // that networks start at
)

// Below the key of a part of the reads of a call of an outside sampler.
const SamplerGauge = 0

// Below the key of a temperature curve.
const (
	CurvePilot = iota
	CurveTempering
)

// Below the key of directed machines: of their draws, and of a start of learning.
const (
	CausesStates = iota
	CausesVisible
	CausesPictures // samples that states start at
	CausesThetas
	CausesExamples // samples that the causes of a tree start at
	CausesTop
	CausesOrder
	CausesWinners // one below it for each sample
)

// Below the key of the way to a machine and back.
const (
	WayProfile = iota
	WayTempering
	WayPilot
	WayForward
	WayReverse
	WayHeatBlocks
	WayHeatPalindromic
	WayAnnealing
	WayCurve
	WayStarts
)

// Labels below the key of a meter: of the samples that it chooses, and of its ladders.
const (
	MeterStart = iota
	MeterLadders
)
